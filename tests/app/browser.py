"""A headless Chromium of the machine; what tests do with it."""

import json
import shutil
import time

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60  # seconds for an answer


class Browser:
    """Chromium at a page, by Selenium; a test without one is skipped.

    Args:
        url: The page.
        downloads: Folder for what it downloads.
    """

    def __init__(self, url, downloads):
        reason = "pip install selenium: tries the page in a browser"
        webdriver = pytest.importorskip("selenium.webdriver", reason=reason)
        binary = next(filter(None, map(shutil.which, BROWSERS)), None)
        driver = shutil.which("chromedriver")
        if not (binary and driver):
            pytest.skip("tries the page in a browser: install chromium and chromium-driver")
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
        from selenium.webdriver.common.keys import Keys

        self.HOME, self.END = Keys.HOME, Keys.END
        options = Options()
        options.binary_location = binary
        for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
            options.add_argument(f"--{flag}")
        options.add_argument("--disable-background-networking")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        self.url = url

    def __enter__(self):
        self.resize(1280, 800)
        self.driver.get(self.url)
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def resize(self, width, height):
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def script(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def all(self, selector):
        """Elements by a CSS selector, or an XPath."""
        return self.driver.find_elements(
            "xpath" if selector.startswith("/") else "css selector", selector
        )

    def wait_until(self, condition):
        """Return what a condition returns when that is true; elements may be replaced meanwhile."""
        from selenium.common.exceptions import StaleElementReferenceException

        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if found := condition():
                    return found
            except StaleElementReferenceException:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not within {PATIENCE} s; the page says: {self.text('body')}")

    def wait(self, selector):
        return self.wait_until(lambda: self.all(selector))[0]

    def text(self, selector):
        return " ".join(element.text for element in self.all(selector))

    def wait_for_text(self, selector, text):
        """Wait for the beginning of a text, or for there to be none."""
        self.wait_until(
            lambda: self.text(selector).startswith(text) and bool(text) == bool(self.text(selector))
        )

    def send(self, selector, keys):
        self.wait(selector).send_keys(keys)

    def click(self, selector):
        self.script("arguments[0].click()", self.wait(selector))

    def messages(self):
        """What the page says in a corner."""
        return self.text("[data-testid=toast-body], .toast-body")

    def requests(self):
        """The addresses that were asked for."""
        events = [
            json.loads(line["message"])["message"] for line in self.driver.get_log("performance")
        ]
        sent = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [event["request"]["url"] for event in sent]

"""Configs: how they are found and read, and what is checked before anything is built from one."""

"""Misbehaviour on purpose. Nothing but `book` is imported before there is a fault: most servers never have one."""

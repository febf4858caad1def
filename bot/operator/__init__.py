"""What an operator does at the command line, beside a running desk or without one."""

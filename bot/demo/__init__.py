"""`redress demo`: real input through the real doors of a running desk, shown as a transcript."""

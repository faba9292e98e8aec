"""The doctor finds what is wrong, on the wire and on the disk, and says what to do."""

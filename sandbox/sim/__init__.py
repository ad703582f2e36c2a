"""The world that learners' programs run in. Start reading at `world`, then `syscalls`."""

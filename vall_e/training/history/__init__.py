"""What finished and running trainings have left behind: reading, comparing and plotting it."""

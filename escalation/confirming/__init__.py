"""Does an e-mail address that somebody typed belong to them? Only its owner can follow the link that is sent there."""

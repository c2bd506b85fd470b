"""SMTP and LMTP: knows the protocol and no people; hands each accepted mail to a port."""

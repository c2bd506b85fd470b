"""Mail checked for viruses by the operator's clamd (ClamAV), where there is one."""

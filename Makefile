# Everything is in ./dev; these are its names for those whose fingers know make.
VERBS := run test check bench docs lock wheel setup

.PHONY: $(VERBS)
$(VERBS):
	@./dev $@

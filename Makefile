# Makefile - POSIX make; GNU make and bmake.  README.md tells the targets.

.POSIX:

all: config.mk
	@$(MAKE) -f build.mk programs

config.mk: configure
	@sh ./configure

clean:
	rm -f posternd postern-net postern-auth postern-store posternctl
	rm -f privsep/*.o net/*.o mailstore/*.o

/*
 * selfsigned.h - posternctl tls selfsigned.
 */
#ifndef SELFSIGNED_H
#define SELFSIGNED_H

/* Runs the command with what stands behind it; its exit status. */
int	selfsigned_main(int argc, char **argv);

#endif

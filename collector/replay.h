/*
 * replay.h -- recorded bytes through the codecs: --replay
 */
#ifndef EB_REPLAY_H
#define EB_REPLAY_H

/*
 * Prints, for each line of a file of hex digits and blanks (# begins a comment), or for the whole
 * of any other file, what elecbill.frame_decode(protocol, bytes) gives. Returns an exit code.
 */
extern int eb_replay(const char *file, const char *protocol);

#endif

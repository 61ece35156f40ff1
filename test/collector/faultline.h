/*
 * faultline.h -- what the parts of faultline share: messages, rules, and what they make of them
 * Shares no code with src/ or collector/: a mistake there must not hide in here.
 */
#ifndef EB_FAULTLINE_H
#define EB_FAULTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_MESSAGE 16384

/* Where a message comes from. */
typedef enum Side
{
	SIDE_MASTER,
	SIDE_METER,
	NSIDES
} Side;

/* What is to happen at a moment: bytes for a side, or the master's side goes away or comes back. */
typedef enum PieceKind
{
	PIECE_BYTES,
	PIECE_UNPLUG,
	PIECE_PLUG
} PieceKind;

typedef struct Piece
{
	PieceKind kind;
	int64_t due_us; /* monotonic clock */
	size_t n;
	uint8_t *bytes; /* PIECE_PLUG: the new name, or NULL */
	struct Piece *next;
} Piece;

/* How much of a message arrives: the word of the log. */
typedef enum Fate
{
	FATE_WHOLE, /* as it came */
	FATE_MOVED, /* every byte, but later, slower, twice, or with others around it */
	FATE_HURT,	/* not, or not as it came */
	FATE_LOST	/* nobody had the other terminal open */
} Fate;

/* fault_rule.c */

/* Adds a rule; NULL, or what is wrong with the text. See rule_help. */
extern const char *rule_add(const char *text);
extern void rule_clear(void);
extern void rule_seed(uint64_t seed);
extern const char rule_help[];

/*
 * Puts the message through the rules: schedules what is to be sent. Returns its fate; actions gets
 * their names, joined by +.
 */
extern Fate rule_apply(Side from, const uint8_t *bytes, size_t n, char *actions, size_t size);

/* faultline.c */

/* Bytes for a side, delay_us after all that waits for it; bytes are copied. */
extern void line_send(Side to, const uint8_t *bytes, size_t n, int64_t delay_us);

/* The master's side goes away when all that waits for it is sent, and comes back after ms. */
extern void line_unplug(int ms, const char *link);

#endif /* EB_FAULTLINE_H */

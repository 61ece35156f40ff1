/*
 * node.h -- a JSON value as a tree, whoever parsed it
 * The glue builds it from jsonb, the fuzzer from a JSON library; the pure core parses no JSON.
 * Numbers keep their decimal text: nothing is rounded on the way in.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_NODE_H
#define EB_NODE_H

#include "base/status.h"

typedef enum EbNodeKind
{
	EB_NODE_NULL,
	EB_NODE_FALSE,
	EB_NODE_TRUE,
	EB_NODE_NUMBER,
	EB_NODE_TEXT,
	EB_NODE_ARRAY,
	EB_NODE_OBJECT,
} EbNodeKind;

typedef struct EbNode
{
	EbNodeKind kind;
	EbText key;					/* member of an object: its name */
	EbText text;				/* TEXT: content; NUMBER: decimal text */
	const struct EbNode *child; /* ARRAY, OBJECT: first element */
	const struct EbNode *next;	/* the sibling after this one */
} EbNode;

#endif

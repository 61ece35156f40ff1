/*
 * jsonb_node.h -- jsonb as the node tree the pure core reads (rating/node.h)
 */
#ifndef ELECBILL_PG_JSONB_NODE_H
#define ELECBILL_PG_JSONB_NODE_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "rating/node.h"

/* Containers inside containers that are looked at */
#define EB_NODE_MAX_DEPTH 64

/*
 * The tree of a value, in the current memory context; its texts may point into json. Members of an
 * object are in byte order of the key. A number is its shortest decimal text; of one beyond 18
 * digits before or after the point only that is told, as 1e99 or 1e-99, which every reader refuses.
 * A container deeper than EB_NODE_MAX_DEPTH reads as null. Raises nothing but want of memory.
 */
extern const EbNode *eb_pg_jsonb_node(Jsonb *json);

#endif /* ELECBILL_PG_JSONB_NODE_H */

/*
 * queue.c -- readings between the meters and the database
 * In:  rows of intake.c. Out: batches for sink_pg.c, oldest first.
 */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

bool
eb_queue_open(EbQueue *queue, size_t size)
{
	memset(queue, 0, sizeof(*queue));
	queue->row = calloc(size, sizeof(EbRow));
	queue->size = size;
	return queue->row != NULL;
}

void
eb_queue_close(EbQueue *queue)
{
	if (queue->row == NULL)
		return;
	eb_queue_ack(queue, queue->count);
	free(queue->row);
	queue->row = NULL;
}

bool
eb_queue_put(EbQueue *queue, const EbRow *row)
{
	uint8_t *frame = NULL;
	EbRow *into;

	if (row->frame != NULL)
		frame = malloc(row->frame_len > 0 ? row->frame_len : 1);
	if (queue->count == queue->size || (row->frame != NULL && frame == NULL))
	{
		free(frame);
		queue->lost++;
		return false;
	}
	into = &queue->row[(queue->first + queue->count) % queue->size];
	*into = *row;
	into->frame = frame;
	if (frame != NULL)
		memcpy(frame, row->frame, row->frame_len);
	queue->count++;
	return true;
}

const EbRow *
eb_queue_at(const EbQueue *queue, size_t i)
{
	return &queue->row[(queue->first + i) % queue->size];
}

void
eb_queue_ack(EbQueue *queue, size_t n)
{
	for (; n > 0 && queue->count > 0; n--)
	{
		free(queue->row[queue->first].frame);
		queue->row[queue->first].frame = NULL;
		queue->first = (queue->first + 1) % queue->size;
		queue->count--;
		queue->acked++;
	}
}

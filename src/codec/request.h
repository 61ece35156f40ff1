/*
 * request.h -- how a frame stands to the request that is out
 * In:  what the match functions of dlt645.h, modbus.h, mbus.h and the like answer.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#ifndef EB_CODEC_REQUEST_H
#define EB_CODEC_REQUEST_H

typedef enum EbMatch
{
	EB_MATCH_ANSWER,	/* from the asked meter, and it is what was asked */
	EB_MATCH_ECHO,		/* a request: the own one, or another master's */
	EB_MATCH_EXCEPTION, /* the asked meter refuses; the frame says why */
	EB_MATCH_FOREIGN	/* another meter or another item: not for us, a late reply maybe */
} EbMatch;

#endif /* EB_CODEC_REQUEST_H */

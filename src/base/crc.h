/*
 * crc.h -- the cyclic checks of meter protocols and of the collector's files
 * In:  bytes; out: the check value as the protocols transmit it.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 * All are reflected; the comments give the polynomial, and the value over "123456789".
 */
#ifndef EB_BASE_CRC_H
#define EB_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Modbus: A001, start FFFF; 4B37. */
extern uint16_t eb_crc16_modbus(const uint8_t *bytes, size_t n);

/* DSMR P1 (ARC): A001, start 0; BB3D. */
extern uint16_t eb_crc16_arc(const uint8_t *bytes, size_t n);

/* HDLC, SML, DL/T 698.45 (X.25): 8408, start and final FFFF; 906E. */
extern uint16_t eb_crc16_x25(const uint8_t *bytes, size_t n);

/* Some SML meters (KERMIT): 8408, start 0; 2189. */
extern uint16_t eb_crc16_kermit(const uint8_t *bytes, size_t n);

/*
 * CRC-32C (Castagnoli): 82F63B78, start and final FFFFFFFF; E3069283. crc is that of what came
 * before, 0 at the start.
 */
extern uint32_t eb_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif /* EB_BASE_CRC_H */

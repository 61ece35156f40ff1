/*
 * list.h -- the serial ports of this computer: --list
 */
#ifndef EB_LIST_H
#define EB_LIST_H

/* One line per port: name; of USB adapters vendor, product and serial. Returns an exit code. */
extern int eb_list(void);

#endif

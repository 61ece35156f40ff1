/*
 * port_tty.c -- serial ports by termios: pseudo-terminals and whatever libserialport refuses
 * In:  the resolved name of a terminal device.
 * Out: bytes. Never waits: the descriptor is non-blocking, VMIN and VTIME are 0.
 * Source: doc/collector.md.
 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct
{
	int baud;
	speed_t code;
} tty_speed[] = {
	{300, B300},	 {600, B600},		{1200, B1200},	   {2400, B2400},
	{4800, B4800},	 {9600, B9600},		{19200, B19200},   {38400, B38400},
	{57600, B57600}, {115200, B115200}, {230400, B230400},
};

static bool
speed_code(int baud, speed_t *code)
{
	for (size_t i = 0; i < sizeof(tty_speed) / sizeof(tty_speed[0]); i++)
		if (tty_speed[i].baud == baud)
		{
			*code = tty_speed[i].code;
			return true;
		}
	return false;
}

bool
eb_line_speed_ok(int speed)
{
	speed_t code;

	return speed_code(speed, &code);
}

static void
make_raw(struct termios *tio, EbLine line, speed_t speed)
{
	cfmakeraw(tio);
	tio->c_cflag &= ~(tcflag_t) (CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS);
	tio->c_cflag |= CREAD | CLOCAL | (line.data_bits == 7 ? CS7 : CS8);
	if (line.parity != 'N')
		tio->c_cflag |= PARENB | (line.parity == 'O' ? PARODD : 0);
	if (line.stop_bits == 2)
		tio->c_cflag |= CSTOPB;
	tio->c_cc[VMIN] = 0;
	tio->c_cc[VTIME] = 0;
	cfsetispeed(tio, speed);
	cfsetospeed(tio, speed);
}

/*
 * A pseudo-terminal drops parity and 7 data bits without a word, and glibc then answers EINVAL
 * when nothing else was to change. That, and only that, is accepted, and only there.
 */
static bool
pty_took_the_rest(int fd, const struct termios *wanted)
{
	const tcflag_t bytes = CSIZE | PARENB | PARODD;
	char name[64];
	struct termios now;

	if (ttyname_r(fd, name, sizeof(name)) != 0 || strncmp(name, "/dev/pts/", 9) != 0 ||
		tcgetattr(fd, &now) != 0)
		return false;
	return now.c_iflag == wanted->c_iflag && now.c_oflag == wanted->c_oflag &&
		   now.c_lflag == wanted->c_lflag && (now.c_cflag & ~bytes) == (wanted->c_cflag & ~bytes) &&
		   now.c_cc[VMIN] == wanted->c_cc[VMIN] && now.c_cc[VTIME] == wanted->c_cc[VTIME] &&
		   cfgetospeed(&now) == cfgetospeed(wanted);
}

static EbPortStatus
tty_set_line(EbPort *port)
{
	struct termios tio = port->saved;
	speed_t speed;

	if (!speed_code(port->line.speed, &speed))
		return eb_port_fault(port, EB_PORT_FAILED, "line settings", "no such speed");
	make_raw(&tio, port->line, speed);
	if (tcsetattr(port->fd, TCSANOW, &tio) != 0 &&
		!(errno == EINVAL && pty_took_the_rest(port->fd, &tio)))
		return eb_port_fault(port, EB_PORT_FAILED, "line settings", strerror(errno));
	return EB_PORT_OK;
}

static EbPortStatus
tty_open(EbPort *port, const char *path)
{
	EbPortStatus status;

	port->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (port->fd < 0)
		return eb_port_fault(port, EB_PORT_FAILED, path, strerror(errno));
	status = tty_set_line(port);
	if (status == EB_PORT_OK)
		tcflush(port->fd, TCIOFLUSH);
	return status;
}

/* 0 is "nothing there" (VMIN = VTIME = 0), not the end: a hang-up is told by the loop. */
static EbPortStatus
tty_read(EbPort *port, uint8_t *buf, size_t size, size_t *got)
{
	ssize_t n = read(port->fd, buf, size);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return eb_port_fault(port, EB_PORT_GONE, "read", strerror(errno));
	*got = n > 0 ? (size_t) n : 0;
	return EB_PORT_OK;
}

static EbPortStatus
tty_write(EbPort *port, const uint8_t *buf, size_t size, size_t *put)
{
	ssize_t n = write(port->fd, buf, size);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return eb_port_fault(port, EB_PORT_GONE, "write", strerror(errno));
	*put = n > 0 ? (size_t) n : 0;
	return EB_PORT_OK;
}

static void
tty_close(EbPort *port)
{
	if (port->fd >= 0)
		close(port->fd);
}

const EbPortOps eb_port_tty = {"tty", tty_open, tty_read, tty_write, tty_set_line, tty_close};

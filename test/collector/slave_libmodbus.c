/*
 * slave_libmodbus.c -- a Modbus meter by libmodbus, foreign to this project
 * slave_libmodbus PATH UNIT: holding and input registers 0 to 199; 0048H holds the float 1234.567,
 * 100 and above hold their own number. Floats are put there by hand: libmodbus 3.1.6 writes them with
 * their bytes swapped.
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	modbus_t *bus = argc == 3 ? modbus_new_rtu(argv[1], 9600, 'N', 8, 1) : NULL;
	modbus_mapping_t *map = modbus_mapping_new(16, 16, 200, 200);
	uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];

	if (bus == NULL || map == NULL || modbus_set_slave(bus, (int) strtol(argv[2], NULL, 10)) != 0 ||
		modbus_connect(bus) != 0)
	{
		fprintf(stderr, "slave_libmodbus: %s\n", modbus_strerror(errno));
		return 1;
	}
	map->tab_input_registers[0x48] = map->tab_registers[0x48] = 0x449A;
	map->tab_input_registers[0x49] = map->tab_registers[0x49] = 0x5225;
	for (int i = 100; i < 200; i++)
		map->tab_input_registers[i] = map->tab_registers[i] = (uint16_t) i;
	puts("READY");
	fflush(stdout);
	for (;;)
	{
		int n = modbus_receive(bus, query);

		if (n > 0)
			modbus_reply(bus, query, n, map);
		else if (n < 0 && errno != EMBBADCRC && errno != ETIMEDOUT)
			return 1;
	}
}

#!/usr/bin/python3
"""slave_pymodbus.py PATH UNIT... -- Modbus meters by pymodbus, foreign to this project.

Input and holding registers 0048H, 0049H hold the float 1234.567 + unit, register 100 + i holds 100 + i.
"""
import asyncio
import struct
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncSerialServer
from pymodbus.transaction import ModbusRtuFramer


def meter(unit):
    registers = [0] * 200
    registers[0x48:0x4A] = struct.unpack('>HH', struct.pack('>f', 1234.567 + unit))
    registers[100:200] = range(100, 200)
    block = ModbusSequentialDataBlock(0, registers)
    return ModbusSlaveContext(ir=block, hr=block, zero_mode=True)


async def main():
    context = ModbusServerContext(slaves={unit: meter(unit) for unit in map(int, sys.argv[2:])}, single=False)
    print('READY', flush=True)
    await StartAsyncSerialServer(context=context, framer=ModbusRtuFramer, port=sys.argv[1], baudrate=9600, ignore_missing_slaves=True)

asyncio.run(main())

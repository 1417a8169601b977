"""One TCP segment through pagetrain with cocotb and cocotbext-axi, every interface attached by its prefix."""
import re
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import (AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam, AxiStreamBus, AxiStreamFrame, AxiStreamSource)

GENERATED = Path(__file__).parent / "verilog"
REG = {name: int(value, 0) for name, value in
       re.findall(r"#define PAGETRAIN_REG_(\w+) (\w+)u", (GENERATED / "pagetrain.h").read_text())}
SMALL_RING, PAGE_RING, COMPLETIONS, SMALL, PAGE = 0x1000, 0x2000, 0x3000, 0x4000, 0x5000


def descriptor(addr, cookie, length):
    return addr.to_bytes(8, "little") + cookie.to_bytes(4, "little") + length.to_bytes(4, "little")


def segment(payload):
    """Ethernet, IPv4, TCP; checksums right."""
    def csum(data):
        total = sum(int.from_bytes(data[i:i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return (~total & 0xFFFF).to_bytes(2, "big")
    src, dst = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    tcp = bytes.fromhex("3039 0050 00000001 00000001 5010 ffff 0000 0000".replace(" ", ""))
    pseudo = src + dst + b"\0\6" + (len(tcp) + len(payload)).to_bytes(2, "big")
    tcp = tcp[:16] + csum(pseudo + tcp + payload) + tcp[18:]
    ip = bytes.fromhex("4500") + (40 + len(payload)).to_bytes(2, "big") + bytes.fromhex("0000400040060000") + src + dst
    ip = ip[:10] + csum(ip) + ip[12:]
    return bytes.fromhex("0200000000020200000000010800") + ip + tcp + payload


@cocotb.test()
async def segment_is_split_into_header_and_page(dut):
    cocotb.start_soon(Clock(dut.clk, 6.4, "ns").start())
    mac = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis_rx"), dut.clk, dut.rst)
    ram = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.clk, dut.rst, size=1 << 16)
    regs = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil_ctrl"), dut.clk, dut.rst)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 20)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 4)
    assert (await regs.read_dword(REG["ID"])) == 0x50475452
    for name, base in [("SB", SMALL_RING), ("PG", PAGE_RING), ("CQ", COMPLETIONS)]:
        await regs.write_dword(REG[f"{name}_BASE_LO"], base)
        await regs.write_dword(REG[f"{name}_LOG2"], 4)
    words = [line for line in (GENERATED / "tcp.hex").read_text().split("\n") if line and not line.startswith("//")]
    for i, word in enumerate(words):
        await regs.write_dword(0x4000 + 4 * i, int(word, 16))
    await regs.write_dword(REG["IRQ_ENABLE"], 1)
    await regs.write_dword(REG["CTRL"], 0b101)
    ram.write(SMALL_RING, descriptor(SMALL, 7, 256))
    ram.write(PAGE_RING, descriptor(PAGE, 9, 4096))
    await regs.write_dword(REG["SB_TAIL"], 1)
    await regs.write_dword(REG["PG_TAIL"], 1)
    await ClockCycles(dut.clk, 100)

    payload = bytes(range(256)) * 5
    frame = segment(payload)
    await mac.send(AxiStreamFrame(frame, tuser=0))
    await RisingEdge(dut.irq)
    entry = ram.read(COMPLETIONS, 32)
    assert int.from_bytes(entry[0:4], "little") == 7 and int.from_bytes(entry[4:8], "little") == 9
    assert entry[31] & 0x80, "phase of the first lap"
    assert ram.read(SMALL, 54) == frame[:54]
    assert ram.read(PAGE, len(payload)) == payload

// C interface of one compiled model: the Rust side loads it with dlopen. `ports.inc` is generated beside
// this file from the design's port list. Everything else in the shared object is hidden.
#include "Vdut.h"
#include "verilated.h"
#include <cstdio>
#include <cstring>
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif
#if VM_COVERAGE
#include "verilated_cov.h"
#endif

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

struct Port {
    const char* name;
    unsigned bytes;
    void* (*address)(Vdut*);
};

const Port PORTS[] = {
#include "ports.inc"
};

// Why the design stopped itself. Bit 0: $finish. Bit 1: $stop, $error or a failed assertion. Bit 2: $fatal.
struct Model {
    VerilatedContext context;
    Vdut* top = nullptr;
    int stopped = 0;
    bool started = false;
    char reason[512] = "";
#if VM_TRACE_FST
    VerilatedFstC* trace = nullptr;
#endif
};

// The model that this thread evaluates. Verilator's handlers get no context of their own.
thread_local Model* current = nullptr;

void stop(int bit, const char* what, const char* file, int line, const char* hier) {
    if (!current) return;
    if (!current->stopped) {
        std::snprintf(current->reason, sizeof current->reason, "%s at %s:%d in %s", what, file, line,
                      hier ? hier : "");
    }
    current->stopped |= bit;
}

}  // namespace

// Verilator's own handlers end the process; a test must end with an error instead. They return here, and
// the evaluation runs to its end.
void vl_finish(const char* file, int line, const char* hier) { stop(1, "$finish", file, line, hier); }
void vl_stop(const char* file, int line, const char* hier) {
    stop(2, "$stop, $error or failed assertion", file, line, hier);
}
void vl_fatal(const char* file, int line, const char* hier, const char* message) {
    stop(4, message && *message ? message : "$fatal", file, line, hier);
}

EXPORT Model* model_new(int seed, int reset_mode) {
    Model* m = new Model;
    Model* const outer = current;
    current = m;
    m->context.threads(1);
    m->context.randSeed(seed);
    m->context.randReset(reset_mode);
    m->context.timeunit(-9);
    m->context.timeprecision(-9);
#if VM_TRACE_FST
    m->context.traceEverOn(true);
#endif
    m->top = new Vdut(&m->context, "");
    current = outer;
    return m;
}

EXPORT void model_free(Model* m) {
    current = m;
    m->top->final();
#if VM_TRACE_FST
    if (m->trace) m->trace->close();
    delete m->trace;
#endif
    delete m->top;
    delete m;
    current = nullptr;
}

#if VM_TRACE_FST
EXPORT int model_eval(Model* m, uint64_t ns) {
    current = m;
    m->context.time(ns);
    m->top->eval();
    return m->stopped;
}
#else
// `eval()` locks two mutexes each time, to collect class objects and messages of other threads. A design has
// neither here, and in a small one the locks cost as much as the design. So only the first evaluation, which
// also runs initial blocks, goes that way.
EXPORT int model_eval(Model* m, uint64_t ns) {
    current = m;
    m->context.time(ns);
    if (m->started) {
        Vdut___024root___eval(m->top->rootp);
    } else {
        m->started = true;
        m->top->eval();
    }
    return m->stopped;
}
#endif

EXPORT const char* model_reason(Model* m) { return m->reason; }

EXPORT void* model_port(Model* m, const char* name, unsigned* bytes) {
    for (const Port& p : PORTS) {
        if (!std::strcmp(p.name, name)) {
            *bytes = p.bytes;
            return p.address(m->top);
        }
    }
    return nullptr;
}

#if VM_TRACE_FST
EXPORT int model_trace_open(Model* m, const char* path) {
    m->trace = new VerilatedFstC;
    m->top->trace(m->trace, 99);
    m->trace->open(path);
    return m->trace->isOpen();
}
EXPORT void model_trace_dump(Model* m, uint64_t ns) { m->trace->dump(ns); }
EXPORT void model_trace_close(Model* m) {
    if (!m->trace) return;
    m->trace->close();
    delete m->trace;
    m->trace = nullptr;
}
#endif

#if VM_COVERAGE
EXPORT void model_coverage(Model* m, const char* path) { m->context.coveragep()->write(path); }
#endif

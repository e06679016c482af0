/* SPDX-License-Identifier: Apache-2.0 */
/* vCPU threads on the real KVM with guests of a few real-mode instructions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/endian.h"
#include "support/kvm_machine.h"
#include "support/need_kvm.h"
#include "vcpu.h"

#define COUNTER	  0x2000 /* where the counting guest counts */
#define DATA_PORT 0x80
#define DONE_PORT 0x99
#define MMIO_BASE 0xd0000
#define ROUNDS	  300

struct recorder {
	struct bus_device ports, done, mmio;
	uint8_t written[64];
	unsigned count, widths, reads;
	bool is_done;
};

struct fixture {
	struct kvm_machine machine;
	struct bus bus;
	struct recorder recorder;
	pthread_mutex_t dev_lock;
	struct vcpu_gate gate;
	struct vcpu_hooks hooks;
	struct assist_vm assist; /* not active */
	struct vcpu vcpus[2];
	unsigned count;
	_Atomic unsigned enters;
	_Atomic int stops;
	enum outcome_cause cause;
	char detail[OUTCOME_DETAIL_SIZE];
};

static void record_write(struct recorder *r, const uint8_t *data, unsigned len)
{
	assert_true(r->count + len <= sizeof(r->written));
	memcpy(r->written + r->count, data, len);
	r->count += len;
	r->widths = r->widths * 10 + len;
}

static void write_port(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	assert_int_equal(offset, 0);
	record_write(container_of(dev, struct recorder, ports), data, len);
}

static void read_port(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	struct recorder *r = container_of(dev, struct recorder, ports);

	(void)offset;
	for (unsigned i = 0; i < len; i++)
		data[i] = (uint8_t)('A' + r->reads++);
}

static void write_mmio(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	assert_int_equal(offset, 0x10);
	record_write(container_of(dev, struct recorder, mmio), data, len);
}

static void read_mmio(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	(void)dev;
	memset(data, (int)offset, len);
}

static void write_done(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	(void)offset;
	(void)data;
	(void)len;
	container_of(dev, struct recorder, done)->is_done = true;
}

static const struct bus_ops port_ops = {.name = "ports", .read = read_port, .write = write_port};
static const struct bus_ops mmio_ops = {.name = "mmio", .read = read_mmio, .write = write_mmio};
static const struct bus_ops done_ops = {.name = "done", .write = write_done};

static void on_stop(void *opaque, enum outcome_cause cause, const char *detail)
{
	struct fixture *f = opaque;

	f->cause = cause;
	snprintf(f->detail, sizeof(f->detail), "%s", detail);
	atomic_fetch_add(&f->stops, 1);
}

static void on_enter(void *opaque)
{
	struct fixture *f = opaque;

	atomic_fetch_add(&f->enters, 1);
}

static int add_devices(struct fixture *f)
{
	struct recorder *r = &f->recorder;

	r->ports = (struct bus_device){.ops = &port_ops, .space = BUS_PIO, .base = DATA_PORT, .size = 4};
	r->done = (struct bus_device){.ops = &done_ops, .space = BUS_PIO, .base = DONE_PORT, .size = 1};
	r->mmio = (struct bus_device){.ops = &mmio_ops, .space = BUS_MMIO, .base = MMIO_BASE, .size = 0x1000};
	return bus_add(&f->bus, &r->ports) || bus_add(&f->bus, &r->done) || bus_add(&f->bus, &r->mmio);
}

static void add_vcpu(struct fixture *f, const struct kvm_vcpu *kvm)
{
	struct vcpu *v = &f->vcpus[f->count];

	*v = (struct vcpu){.id = f->count,
			   .kvm = *kvm,
			   .bus = &f->bus,
			   .dev_lock = &f->dev_lock,
			   .gate = &f->gate,
			   .hooks = &f->hooks};
	assist_vcpu_init(&v->assist, &f->assist, &v->kvm);
	f->count++;
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	struct error err;

	memset(f, 0, sizeof(*f));
	*state = f;
	f->hooks = (struct vcpu_hooks){.enter = on_enter, .stop = on_stop, .opaque = f};
	pthread_mutex_init(&f->dev_lock, NULL);
	vcpu_gate_init(&f->gate);
	vcpu_prepare_kicks();
	if (kvm_machine_init(&f->machine) || add_devices(f) ||
	    assist_vm_init(&f->assist, false, &f->machine.host, &f->machine.vm, NULL, NULL, &err))
		return -1;
	add_vcpu(f, &f->machine.vcpu);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	vcpu_stop_all(f->vcpus, f->count, &f->gate);
	if (f->count > 1)
		kvm_vcpu_close(&f->vcpus[1].kvm);
	assist_vm_fini(&f->assist);
	vcpu_gate_fini(&f->gate);
	pthread_mutex_destroy(&f->dev_lock);
	return kvm_machine_fini(&f->machine);
}

/* inc word [0x2000]; jmp back */
static const uint8_t counting[] = {0xff, 0x06, 0x00, 0x20, 0xeb, 0xfa};

static void start(struct fixture *f, const uint8_t *code, size_t len)
{
	assert_int_equal(kvm_machine_load(&f->machine, code, len), 0);
	for (unsigned i = 0; i < f->count; i++)
		assert_int_equal(vcpu_start(&f->vcpus[i]), 0);
}

static uint16_t counter(const struct fixture *f)
{
	return __atomic_load_n((const uint16_t *)(const void *)(f->machine.ram + COUNTER), __ATOMIC_RELAXED);
}

static void wait_until_it_counts(const struct fixture *f)
{
	uint16_t before = counter(f);

	while (counter(f) == before)
		usleep(100);
}

static void wait_until_done(struct fixture *f)
{
	bool done = false;

	while (!done) {
		usleep(100);
		pthread_mutex_lock(&f->dev_lock);
		done = f->recorder.is_done;
		pthread_mutex_unlock(&f->dev_lock);
	}
}

/* An application processor that nobody has started waits inside KVM_RUN. */
static void add_waiting_vcpu(struct fixture *f)
{
	struct kvm_vcpu second;

	assert_int_equal(kvm_vcpu_create(&second, &f->machine.host, &f->machine.vm, 1), 0);
	add_vcpu(f, &second);
}

static void a_paused_guest_stands_still_and_a_resumed_one_goes_on(void **state)
{
	struct fixture *f = *state;
	struct kvm_regs regs;
	uint16_t value;

	start(f, counting, sizeof(counting));
	wait_until_it_counts(f);
	assert_true(atomic_load(&f->vcpus[0].first_entry_ns) > 0);
	assert_int_equal(atomic_load(&f->enters), 1);
	vcpu_pause_all(f->vcpus, f->count, &f->gate);
	value = counter(f);
	assert_int_equal(kvm_vcpu_get_regs(&f->vcpus[0].kvm, &regs), 0);
	assert_in_range(regs.rip, KVM_MACHINE_CODE, KVM_MACHINE_CODE + sizeof(counting));
	usleep(2000);
	assert_int_equal(counter(f), value);
	vcpu_resume_all(&f->gate);
	wait_until_it_counts(f);
}

static void pausing_again_and_again_always_ends(void **state)
{
	struct fixture *f = *state;

	add_waiting_vcpu(f);
	start(f, counting, sizeof(counting));
	for (unsigned i = 0; i < ROUNDS; i++) {
		vcpu_pause_all(f->vcpus, f->count, &f->gate);
		assert_int_equal(f->gate.parked, f->count);
		vcpu_resume_all(&f->gate);
	}
	wait_until_it_counts(f);
}

static void a_waiting_processor_is_paused_and_stopped(void **state)
{
	struct fixture *f = *state;
	uint32_t mp_state;

	add_waiting_vcpu(f);
	start(f, counting, sizeof(counting));
	vcpu_pause_all(f->vcpus, f->count, &f->gate);
	assert_int_equal(kvm_vcpu_get_mp_state(&f->vcpus[1].kvm, &mp_state), 0);
	assert_int_equal(mp_state, KVM_MP_STATE_UNINITIALIZED);
	vcpu_resume_all(&f->gate);
	vcpu_stop_all(f->vcpus, f->count, &f->gate);
	assert_false(f->vcpus[0].started || f->vcpus[1].started);
}

static void a_paused_machine_can_be_stopped(void **state)
{
	struct fixture *f = *state;

	start(f, counting, sizeof(counting));
	vcpu_pause_all(f->vcpus, f->count, &f->gate);
	vcpu_stop_all(f->vcpus, f->count, &f->gate);
	assert_false(f->vcpus[0].started);
	assert_int_equal(f->stops, 0);
}

static void stopping_what_never_started_is_harmless(void **state)
{
	struct fixture *f = *state;

	vcpu_pause_all(f->vcpus, f->count, &f->gate);
	vcpu_resume_all(&f->gate);
	vcpu_stop_all(f->vcpus, f->count, &f->gate);
	vcpu_stop_all(f->vcpus, f->count, &f->gate);
}

/* Stopped before it could run: it ends without having entered the guest for long, and is not waited for in vain. */
static void a_machine_may_be_stopped_at_once(void **state)
{
	struct fixture *f = *state;

	start(f, counting, sizeof(counting));
	vcpu_stop_all(f->vcpus, f->count, &f->gate);
	assert_false(f->vcpus[0].started);
}

static void port_accesses_reach_the_device_with_their_width(void **state)
{
	static const uint8_t code[] = {
		0xb0, 0x11,				      /* mov $0x11, %al */
		0xe6, DATA_PORT,			      /* out %al, $0x80 */
		0xb8, 0x22,	 0x33,			      /* mov $0x3322, %ax */
		0xe7, DATA_PORT,			      /* out %ax, $0x80 */
		0x66, 0xb8,	 0x44,	    0x55, 0x66, 0x77, /* mov $0x77665544, %eax */
		0x66, 0xe7,	 DATA_PORT,		      /* out %eax, $0x80 */
		0xe4, DATA_PORT,			      /* in $0x80, %al */
		0xa2, 0x00,	 0x20,			      /* mov %al, 0x2000 */
		0xe6, DONE_PORT,			      /* out %al, $0x99 */
		0xeb, 0xfe,				      /* jmp . */
	};
	struct fixture *f = *state;

	start(f, code, sizeof(code));
	wait_until_done(f);
	vcpu_pause_all(f->vcpus, f->count, &f->gate);
	assert_int_equal(f->recorder.widths, 124);
	assert_memory_equal(f->recorder.written, "\x11\x22\x33\x44\x55\x66\x77", 7);
	assert_int_equal(f->machine.ram[COUNTER], 'A');
	assert_int_equal(atomic_load(&f->vcpus[0].stats.pio), 5);
	assert_true(atomic_load(&f->vcpus[0].stats.exits) >= 5);
	vcpu_resume_all(&f->gate);
}

static void every_item_of_a_port_string_arrives(void **state)
{
	static const uint8_t code[] = {
		0xfc,		       /* cld */
		0xbe, 0x00,	 0x30, /* mov $0x3000, %si */
		0xb9, 0x0a,	 0x00, /* mov $10, %cx */
		0xba, DATA_PORT, 0x00, /* mov $0x80, %dx */
		0xf3, 0x6e,	       /* rep outsb */
		0xbf, 0x00,	 0x20, /* mov $0x2000, %di */
		0xb9, 0x06,	 0x00, /* mov $6, %cx */
		0xf3, 0x6c,	       /* rep insb */
		0xe6, DONE_PORT,       /* out %al, $0x99 */
		0xeb, 0xfe,	       /* jmp . */
	};
	struct fixture *f = *state;

	memcpy(f->machine.ram + 0x3000, "0123456789", 10);
	start(f, code, sizeof(code));
	wait_until_done(f);
	vcpu_pause_all(f->vcpus, f->count, &f->gate);
	assert_int_equal(f->recorder.count, 10);
	assert_memory_equal(f->recorder.written, "0123456789", 10);
	assert_memory_equal(f->machine.ram + COUNTER, "ABCDEF", 6);
	vcpu_resume_all(&f->gate);
}

static void mmio_accesses_reach_the_device(void **state)
{
	static const uint8_t code[] = {
		0xb8, 0x00,	 0xd0, /* mov $0xd000, %ax */
		0x8e, 0xd8,	       /* mov %ax, %ds */
		0xb8, 0x34,	 0x12, /* mov $0x1234, %ax */
		0xa3, 0x10,	 0x00, /* mov %ax, 0x10 */
		0xa0, 0x5a,	 0x00, /* mov 0x5a, %al */
		0x31, 0xdb,	       /* xor %bx, %bx */
		0x8e, 0xdb,	       /* mov %bx, %ds */
		0xa2, 0x00,	 0x20, /* mov %al, 0x2000 */
		0xe6, DONE_PORT,       /* out %al, $0x99 */
		0xeb, 0xfe,	       /* jmp . */
	};
	struct fixture *f = *state;

	start(f, code, sizeof(code));
	wait_until_done(f);
	vcpu_pause_all(f->vcpus, f->count, &f->gate);
	assert_int_equal(f->recorder.widths, 2);
	assert_int_equal(load_le16(f->recorder.written), 0x1234);
	assert_int_equal(f->machine.ram[COUNTER], 0x5a);
	assert_int_equal(atomic_load(&f->vcpus[0].stats.mmio), 2);
	vcpu_resume_all(&f->gate);
}

static void accesses_that_nobody_answers_read_as_ones(void **state)
{
	static const uint8_t code[] = {
		0xe4, 0x42,	       /* in $0x42, %al */
		0xa2, 0x00,	 0x20, /* mov %al, 0x2000 */
		0xe6, DONE_PORT,       /* out %al, $0x99 */
		0xeb, 0xfe,	       /* jmp . */
	};
	struct fixture *f = *state;

	start(f, code, sizeof(code));
	wait_until_done(f);
	assert_int_equal(f->machine.ram[COUNTER], 0xff);
	assert_int_equal(f->bus.unclaimed, 1);
}

static void enter_protected_mode(struct fixture *f)
{
	struct kvm_sregs s;

	assert_int_equal(kvm_vcpu_get_sregs(&f->vcpus[0].kvm, &s), 0);
	s.cs = (struct kvm_segment){.limit = ~0u, .selector = 0x10, .type = 0xb, .present = 1, .db = 1, .s = 1, .g = 1};
	s.ds = s.es = s.ss = (struct kvm_segment){
		.limit = ~0u, .selector = 0x18, .type = 0x3, .present = 1, .db = 1, .s = 1, .g = 1};
	s.cr0 |= 1; /* PE */
	s.idt = (struct kvm_dtable){0};
	assert_int_equal(kvm_vcpu_set_sregs(&f->vcpus[0].kvm, &s), 0);
}

/* Without an interrupt table an exception cannot be delivered, nor the fault that this is. The thread ends by itself
 * and counts as parked. */
static void a_triple_fault_is_reported_once(void **state)
{
	static const uint8_t undefined[] = {0x0f, 0x0b};
	struct fixture *f = *state;

	assert_int_equal(kvm_machine_load(&f->machine, undefined, sizeof(undefined)), 0);
	enter_protected_mode(f);
	assert_int_equal(vcpu_start(&f->vcpus[0]), 0);
	while (!atomic_load(&f->stops))
		usleep(100);
	assert_int_equal(f->cause, OUTCOME_TRIPLE_FAULT);
	vcpu_pause_all(f->vcpus, f->count, &f->gate);
	vcpu_resume_all(&f->gate);
	vcpu_pause_all(f->vcpus, f->count, &f->gate);
	vcpu_stop_all(f->vcpus, f->count, &f->gate);
	assert_int_equal(f->stops, 1);
}

/* A vCPU whose descriptor is gone cannot run. */
static void a_failing_run_ends_the_machine_with_its_reason(void **state)
{
	struct fixture *f = *state;
	int fd = f->vcpus[0].kvm.fd;

	f->vcpus[0].kvm.fd = f->machine.host.fd; /* no vCPU */
	assert_int_equal(vcpu_start(&f->vcpus[0]), 0);
	while (!atomic_load(&f->stops))
		usleep(100);
	assert_int_equal(f->cause, OUTCOME_ERROR);
	assert_non_null(strstr(f->detail, "KVM_RUN of vCPU 0"));
	vcpu_stop_all(f->vcpus, f->count, &f->gate);
	f->vcpus[0].kvm.fd = fd;
}

#define WITH_VCPU(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_VCPU(a_paused_guest_stands_still_and_a_resumed_one_goes_on),
		WITH_VCPU(pausing_again_and_again_always_ends),
		WITH_VCPU(a_waiting_processor_is_paused_and_stopped),
		WITH_VCPU(a_paused_machine_can_be_stopped),
		WITH_VCPU(stopping_what_never_started_is_harmless),
		WITH_VCPU(a_machine_may_be_stopped_at_once),
		WITH_VCPU(port_accesses_reach_the_device_with_their_width),
		WITH_VCPU(every_item_of_a_port_string_arrives),
		WITH_VCPU(mmio_accesses_reach_the_device),
		WITH_VCPU(accesses_that_nobody_answers_read_as_ones),
		WITH_VCPU(a_triple_fault_is_reported_once),
		WITH_VCPU(a_failing_run_ends_the_machine_with_its_reason),
	};
	int missing = without_kvm();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}

//! Ways in which a run ends before its time.

use crate::designs::{counter, sim};
use pagetrain_testbench::sim::{Event, Failure, Queue, SimConfig, SimError};

fn run_with_stop(stop: u64) -> SimError {
    let mut sim = sim(&counter(), SimConfig::seed(5));
    let port = sim.signal("stop").unwrap();
    sim.run(async move |sim| {
        sim.cycles(10).await;
        port.set(stop);
        sim.cycles(100).await;
    })
    .expect_err("the design stops itself")
}

#[test]
fn run_ends_with_an_error_when_the_design_stops_itself() {
    for (stop, what) in [(1, "$stop"), (2, "$stop"), (3, "$stop"), (4, "$finish")] {
        let error = run_with_stop(stop);
        // 8 clocks of reset, 10 asleep; the write lands after that edge and is seen at the next.
        assert_eq!((error.seed, error.cycle), (5, 19), "{error}");
        let Failure::Stopped { reason } = &error.failure else {
            panic!("{error}")
        };
        assert!(
            reason.contains(what) && reason.contains("counter.v:"),
            "{reason}"
        );
        assert!(error.to_string().contains("PAGETRAIN_SEED=5"), "{error}");
    }
}

#[test]
fn run_ends_with_task_seed_and_cycle_when_a_task_panics() {
    let mut sim = sim(&counter(), SimConfig::seed(77));
    sim.spawn("checker", {
        let sim = sim.handle();
        async move {
            sim.cycles(3).await;
            assert_eq!(1 + 1, 3, "sums are off");
        }
    });
    let error = sim
        .run(async move |sim| sim.cycles(100).await)
        .expect_err("panics");
    assert_eq!((error.seed, error.cycle), (77, 11));
    let Failure::Panic { task, message } = &error.failure else {
        panic!("{error}")
    };
    assert!(
        task.contains("checker") && message.contains("sums are off"),
        "{error}"
    );
    let again = sim
        .run(async move |sim| sim.cycles(1).await)
        .expect_err("not usable");
    assert!(
        again.to_string().contains("not usable after a panic"),
        "{again}"
    );
}

#[test]
fn run_ends_with_an_error_when_a_component_panics() {
    let mut sim = sim(&counter(), SimConfig::seed(0));
    sim.on_edge(|edge| assert!(edge.cycle < 20, "cycle 20 reached"));
    let error = sim
        .run(async move |sim| sim.cycles(100).await)
        .expect_err("panics");
    assert_eq!(error.cycle, 20);
    assert!(
        error
            .to_string()
            .contains("a component panicked: cycle 20 reached"),
        "{error}"
    );
}

#[test]
fn watchdog_names_what_is_pending_when_nothing_moves() {
    let config = SimConfig {
        idle_limit: 50,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(&counter(), config);
    let queue: Queue<u32> = Queue::new("answers");
    let event = Event::new("link up");
    sim.spawn("listener", async move { event.wait().await });
    let handle = sim.handle();
    sim.spawn("poller", async move { handle.until(|| false).await });
    let error = sim
        .run(async move |_| queue.get().await)
        .expect_err("waits for ever");
    let text = error.to_string();
    assert!(
        matches!(error.failure, Failure::Stalled { cycles: 50, .. }),
        "{text}"
    );
    for part in [
        "`main` waits for an item in queue `answers`",
        "`listener` waits for event `link up`",
        "`poller`",
    ] {
        assert!(text.contains(part), "{part} not in {text}");
    }
    assert!(error.cycle < 70);
}

#[test]
fn watchdog_keeps_still_when_a_task_sleeps_or_writes() {
    let config = SimConfig {
        idle_limit: 50,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(&counter(), config);
    sim.run(async move |sim| sim.cycles(1000).await).unwrap();
    let d = sim.signal("d").unwrap();
    sim.run(async move |sim| {
        for n in 0..200 {
            d.set(n & 1);
            sim.rising_edge().await;
        }
    })
    .unwrap();
}

#[test]
fn watchdog_is_not_fooled_when_a_task_polls() {
    let config = SimConfig {
        idle_limit: 50,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(&counter(), config);
    let error = sim
        .run(async move |sim| loop {
            sim.cycles(16).await;
        })
        .map(|()| "ends")
        .expect_err("polls for ever");
    assert!(
        matches!(error.failure, Failure::Stalled { cycles: 50, .. }),
        "{error}"
    );
}

#[test]
fn run_ends_when_its_deadline_passes() {
    let config = SimConfig {
        deadline: 300,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(&counter(), config);
    let error = sim
        .run(async move |sim| sim.cycles(301).await)
        .expect_err("too long");
    let text = error.to_string();
    assert!(
        matches!(error.failure, Failure::Deadline { cycles: 300, .. }),
        "{text}"
    );
    assert!(text.contains("`main` waits for cycle 309"), "{text}");
    sim.run(async move |sim| sim.cycles(300).await).unwrap();
}

#[test]
fn run_ends_when_tasks_wake_one_another_without_end() {
    let mut sim = sim(&counter(), SimConfig::seed(1));
    let (ping, pong) = (Queue::new("ping"), Queue::new("pong"));
    for (from, to) in [(ping.clone(), pong.clone()), (pong, ping.clone())] {
        sim.spawn("echo", async move {
            loop {
                let item: u32 = from.get().await;
                to.put(item);
            }
        });
    }
    ping.put(1);
    let error = sim
        .run(async move |sim| sim.cycles(1).await)
        .expect_err("livelock");
    assert!(error.to_string().contains("without end"), "{error}");
}

#[test]
fn port_is_named_when_it_is_misused() {
    let mut sim = sim(&counter(), SimConfig::seed(1));
    let error = sim.signal("nowhere").err().expect("no such port");
    assert!(
        error
            .to_string()
            .contains("`nowhere`: the design has no such port"),
        "{error}"
    );
    let error = sim.signal("wide").err().expect("too wide");
    assert!(error.to_string().contains("300 bits"), "{error}");
    let (d, q) = (sim.signal("d").unwrap(), sim.signal("q").unwrap());
    let error = sim
        .run(async move |_| d.set(256))
        .expect_err("does not fit");
    assert!(
        error
            .to_string()
            .contains("0x100 does not fit port `d` of 8 bits"),
        "{error}"
    );
    let mut sim = crate::designs::sim(&counter(), SimConfig::seed(1));
    let error = sim.run(async move |_| q.set(1)).expect_err("an output");
    assert!(error.to_string().contains("`q` is an output"), "{error}");
    assert!(sim.wide("wide").unwrap().len_bytes() == 38);
}

"""The queue for Lambda's concurrency: its members, and their waiting times."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from emulator.lambdas.gate import Gate, in_turn
from tests.emulator.test_process import until


def test_who_waits_for_a_turn_gets_it_when_one_is_free_or_nobody_moves() -> None:
    gate = Gate(1, standstill=60)
    gate.enter()
    waiting = threading.Thread(target=gate.enter)
    waiting.start()
    gate.leave()
    waiting.join()
    nested = Gate(1, standstill=0.01)
    nested.enter()
    nested.enter()


def test_nobody_overtakes_those_who_wait() -> None:
    gate, entered = Gate(1, standstill=60), list[int]()

    def come(number: int) -> None:
        gate.enter()
        entered.append(number)
        gate.leave()

    gate.enter()
    crowd = [threading.Thread(target=come, args=(number,)) for number in range(20)]
    for number, each in enumerate(crowd):
        each.start()
        until(lambda number=number: len(gate._waiting) > number)
    gate.leave()
    come(20)
    for each in crowd:
        each.join()
    assert entered == list(range(21))


def test_a_place_that_a_standstill_added_ends_when_nobody_waits() -> None:
    gate = Gate(1, standstill=0.01)
    gate.enter()
    gate.enter()
    gate.leave()
    assert gate._free == 0
    gate.leave()
    assert gate._free == 1


def test_a_standstill_adds_one_place_and_a_queue_that_moves_none() -> None:
    gate, inside, most, lock = Gate(1, standstill=0.5), 0, 0, threading.Lock()

    def come(seconds: float) -> None:
        nonlocal inside, most
        gate.enter()
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(seconds)
        with lock:
            inside -= 1
        gate.leave()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(come, [0.05] * 20))
    assert most == 1, "the last one waited for longer than that"
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(come, [0.8, *[0.05] * 19]))
    assert most == 2


def test_an_answer_of_api_gateway_waits_however_long_it_takes() -> None:
    gate = Gate(1, standstill=None)
    gate.enter()
    waiting = threading.Thread(target=gate.enter)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    gate.leave()
    waiting.join(60)
    assert not waiting.is_alive()


def test_an_answer_of_api_gateway_does_not_wait_for_steps() -> None:
    over, begun = threading.Event(), threading.Event()

    def execute(_function: dict[str, object], event: dict[str, object], _request: str) -> str:
        if "requestContext" not in event:
            begun.set()
            assert over.wait(60)
        return "done"

    execute_in_turn = in_turn(execute, places=1)
    with ThreadPoolExecutor(1) as pool:
        step = pool.submit(execute_in_turn, {}, {"lab": "myeks"}, "1")
        assert begun.wait(60)
        assert execute_in_turn({}, {"requestContext": {}}, "2") == "done"
        assert not step.done()
        over.set()
        assert step.result() == "done"

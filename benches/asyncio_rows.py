"""The rows of the table on Python's asyncio, on its own loop or on uvloop.

    python3 asyncio_rows.py ROW LOOP OPERATIONS [URL]     LOOP: asyncio or uvloop

does the operations of a row, as benches/README.md defines them, and prints one figure: what one of them takes. The row
`http_server` prints its port instead, and serves until it is killed. URL: what the row `http_client` asks for. The figure is nan if
what the row needs is not installed.
"""

import array
import asyncio
import concurrent.futures
import importlib.util
import os
import random
import resource
import sys
import threading
import time

SEED = 1
LOOPBACK = "127.0.0.1"
IN_FLIGHT = 64
MESSAGE = bytes(64)
BUFFER = 1024
CAPACITY = 64
HOUR = 3600


class Stopwatch:
    def __init__(self, clock=time.perf_counter_ns):
        self.clock = clock
        self.began = clock()

    def nanos_each(self, ops):
        return (self.clock() - self.began) / ops


async def switch(ops, _):
    tasks = 1000

    async def turns():
        for _ in range(ops // tasks):
            await asyncio.sleep(0)

    handles = [asyncio.create_task(turns()) for _ in range(tasks)]
    watch = Stopwatch()
    for handle in handles:
        await handle
    return watch.nanos_each(ops // tasks * tasks)


async def spawn_join(ops, _):
    batch, count = 1000, 0

    async def one():
        nonlocal count
        count += 1

    watch = Stopwatch()
    for _ in range(ops // batch):
        for handle in [asyncio.create_task(one()) for _ in range(batch)]:
            await handle
    nanos = watch.nanos_each(count)
    assert count == ops // batch * batch
    return nanos


class Mailbox:
    """A place for one letter; the future is what a stored waker is elsewhere."""

    def __init__(self):
        self.letter, self.reader = None, None

    def put(self, letter):
        self.letter = letter
        if self.reader is not None:
            self.reader.set_result(None)
            self.reader = None

    async def take(self):
        while self.letter is None:
            self.reader = asyncio.get_running_loop().create_future()
            await self.reader
        letter, self.letter = self.letter, None
        return letter


async def ping_pong(ops, _):
    async def player(inbox, outbox, last):
        letter = 0
        while letter < last:
            letter = await inbox.take() + 1
            outbox.put(letter)

    left, right = Mailbox(), Mailbox()
    ping = asyncio.create_task(player(left, right, 2 * ops - 1))
    pong = asyncio.create_task(player(right, left, 2 * ops))
    watch = Stopwatch()
    left.put(0)
    await ping
    await pong
    return watch.nanos_each(ops)


async def channel(ops, _):
    queue = asyncio.Queue(CAPACITY)

    async def produce():
        for item in range(ops):
            await queue.put(item)

    async def consume():
        return sum([await queue.get() for _ in range(ops)])

    watch = Stopwatch()
    consumer, producer = asyncio.create_task(consume()), asyncio.create_task(produce())
    await producer
    assert await consumer == ops * (ops - 1) // 2
    return watch.nanos_each(ops)


async def timers_fire(ops, _):
    numbers = random.Random(SEED)
    watch = Stopwatch(time.process_time_ns)
    tasks = [asyncio.create_task(asyncio.sleep(numbers.randrange(1_000_000) / 1e6)) for _ in range(ops)]
    await asyncio.wait(tasks)
    return watch.nanos_each(ops)


async def timers_cancel(ops, _):
    numbers, loop = random.Random(SEED), asyncio.get_running_loop()
    ring = [None] * 100_000
    watch = Stopwatch()
    for done in range(ops):
        place = done % len(ring)
        if ring[place] is not None:
            ring[place].cancel()
        # On a machine that is held up some are due before they are cancelled; they call what does nothing.
        ring[place] = loop.call_later(numbers.uniform(1, 60), int)
        if done % 100 == 99:
            await asyncio.sleep(0)
    nanos = watch.nanos_each(ops)
    for timer in ring:
        timer.cancel()
    return nanos


async def mem(ops, _):
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    before = resident()
    tasks = [asyncio.create_task(asyncio.sleep(HOUR)) for _ in range(ops)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    figure = (resident() - before) / ops
    for task in tasks:
        task.cancel()
    return figure


def pinned():
    """To one core, with a pool of one thread."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return concurrent.futures.ThreadPoolExecutor(1)


async def jobs(count, pool):
    loop, done = asyncio.get_running_loop(), 0
    for _ in range(count):
        done += await loop.run_in_executor(pool, int, 1)
    assert done == count


async def blocking(ops, _):
    pool, watch = pinned(), Stopwatch()
    await jobs(ops, pool)
    return watch.nanos_each(ops)


async def blocking_64(ops, _):
    pool, watch = pinned(), Stopwatch()
    await asyncio.gather(*(jobs(ops // IN_FLIGHT, pool) for _ in range(IN_FLIGHT)))
    return watch.nanos_each(ops // IN_FLIGHT * IN_FLIGHT)


async def wake_remote(ops, _):
    pinned().shutdown()
    loop, given = asyncio.get_running_loop(), []
    put = threading.Condition()

    def wake():
        while True:
            with put:
                put.wait_for(lambda: given)
                future = given.pop()
            if future is None:
                return
            loop.call_soon_threadsafe(future.set_result, None)

    def give(thing):
        with put:
            given.append(thing)
            put.notify()

    thread = threading.Thread(target=wake)
    thread.start()
    watch = Stopwatch()
    for _ in range(ops):
        future = loop.create_future()
        give(future)
        await future
    nanos = watch.nanos_each(ops)
    give(None)
    thread.join()
    return nanos


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class Asks(asyncio.Protocol):
    """Sends a message, and the next one when all of its echo has come."""

    def __init__(self, messages, done):
        self.left, self.awaited, self.done = messages, 0, done

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.awaited -= len(data)
        if self.awaited == 0:
            self.ask()

    def ask(self):
        if self.left == 0:
            self.done.set_result(None)
            return
        self.left -= 1
        self.awaited = len(MESSAGE)
        self.transport.write(MESSAGE)


async def tcp_echo(ops, _):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    clients = []
    for _ in range(IN_FLIGHT):
        done = loop.create_future()
        _, client = await loop.create_connection(lambda: Asks(ops // IN_FLIGHT, done), LOOPBACK, port)
        clients.append(client)
    watch = Stopwatch()
    for client in clients:
        client.ask()
    for client in clients:
        await client.done
    return watch.nanos_each(ops // IN_FLIGHT * IN_FLIGHT)


def sleeps(micros, percent):
    seconds = micros / 1e6

    async def row(ops, _):
        late = array.array("d")
        for _ in range(ops):
            began = time.perf_counter()
            await asyncio.sleep(seconds)
            late.append((time.perf_counter() - began - seconds) * 1e6)
            assert late[-1] >= 0, "no sleep ends early"
        return sorted(late)[len(late) * percent // 100]

    return row


async def http_client(ops, url):
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:

        async def ask():
            for _ in range(ops // IN_FLIGHT):
                async with session.get(url) as response:
                    assert len(await response.read()) == BUFFER

        watch = Stopwatch(time.thread_time_ns)
        await asyncio.gather(*(ask() for _ in range(IN_FLIGHT)))
        return watch.nanos_each(ops // IN_FLIGHT * IN_FLIGHT)


async def http_server(_ops, _):
    from aiohttp import web

    async def hello(_request):
        return web.Response(text="Hello, World!\n")

    application = web.Application()
    application.router.add_get("/World", hello)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


ROWS = {
    "yield": switch,
    "spawn_join": spawn_join,
    "ping_pong": ping_pong,
    "channel": channel,
    "timers_fire_20k": timers_fire,
    "timers_cancel": timers_cancel,
    "mem": mem,
    "blocking": blocking,
    "blocking_64": blocking_64,
    "wake_remote": wake_remote,
    "tcp_echo": tcp_echo,
    **{f"sleep {micros} {percent}": sleeps(micros, percent) for micros in (1000, 100) for percent in (50, 99)},
    "http_client": http_client,
    "http_server": http_server,
}


async def measure(row, ops, url):
    # The body is a task of its own, as in every runtime.
    return await asyncio.create_task(ROWS[row](ops, url))


def main():
    row, loop, ops = sys.argv[1], sys.argv[2], int(sys.argv[3])
    url = sys.argv[4] if len(sys.argv) > 4 else None
    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    if row.startswith("http") and importlib.util.find_spec("aiohttp") is None:
        print(f"{row} on {loop}: aiohttp is not installed", file=sys.stderr)
        print("nan")
        return
    with asyncio.Runner(loop_factory=factory) as runner:
        print(runner.run(measure(row, ops, url)))


if __name__ == "__main__":
    main()

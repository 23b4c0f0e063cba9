// The process of a recorder: drains, decodes and writes where nothing is shared with whoever asked for it, neither an event loop nor the threads beside it.
import { readdir } from 'node:fs/promises'
import { giveWay } from '../thread/give-way.js'
import { plainError } from '../thread/plain-error.js'
import type { FromRecorder, RecorderStart, ToRecorder } from './messages.js'
import { type ServedRecorder, serveRecorder } from './serve-recorder.js'

/**
 * The caller goes before what reads the lanes, and that before what writes the file and collects garbage. On one core, at 110,000 records a second beside
 * other work, timers of the caller came 6 to 14 ms late (p99) with these, 10 to 19 ms with a thread, and 23 to 44 ms with a process as nice as the caller;
 * with both as nice as can be the lanes were read too late. And all of it leaves a processor to others (decision 24).
 */
const NICER = 10
const NICEST = 19
/** ms for the last flush when the caller is gone, whom nobody else's store should outlive for ever: a checkpoint of a file takes up to 5 s. */
const LAST_MS = 30_000

process.title = 'forelock recorder'
// A terminal, or a supervisor, tells the whole group to end. What the caller still does until it is gone is to be recorded; then this ends by itself.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

process.on('uncaughtException', error => send({ event: 'failed', error: plainError(error) }, () => process.exit(1)))

let recorder: ServedRecorder | undefined

process.on('message', (message: RecorderStart | ToRecorder) => {
  if (recorder === undefined) recorder = serveRecorder(message as RecorderStart, { post, close })
  else recorder.hear(message as ToRecorder)
})

process.once('disconnect', async () => {
  setTimeout(() => process.exit(1), LAST_MS).unref()
  await recorder?.abandon()
})

/**
 * Threads have priorities of their own. Those of libuv's pool, where the store works, are there once something was asked of it, as here. Not before it records: on a host that is busy it had not opened its
 * store ten seconds after it was started, and all that while nobody recorded.
 */
async function allGiveWay(): Promise<void> {
  const reader = String(process.pid)
  for (const thread of await readdir('/proc/self/task')) giveWay(thread === reader ? NICER : NICEST, Number(thread))
}

let unsent = 0
let isClosing = false

function post(message: FromRecorder): void {
  if ('event' in message && message.event === 'begun') void allGiveWay().then(() => send(message))
  else send(message)
}

function send(message: FromRecorder, then: () => void = () => {}): void {
  // Whoever is gone misses nothing; that it is gone is told by itself.
  if (!process.connected) {
    then()
    return
  }
  unsent++
  process.send?.(message, undefined, undefined, () => {
    unsent--
    then()
    if (isClosing) close()
  })
}

/** When all has been sent: what is still on its way would be cut off. */
function close(): void {
  isClosing = true
  if (unsent === 0 && process.connected) process.disconnect()
}

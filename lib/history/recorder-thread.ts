// The thread of a recorder: drains, decodes and writes, away from the event loop of whoever asked for it.
import { getPriority, setPriority } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { ClosedError } from '../errors/index.js'
import { joinArena } from '../open.js'
import { plainError } from '../thread/plain-error.js'
import { type FromThread, type RecorderThread, Told, type ToThread } from './messages.js'
import { openPlace } from './place.js'
import { Recording, type StoreAccess } from './recording.js'
import type { HistoryStore } from './store.js'

/**
 * What may be late gives way to what may not: on one core, at 110,000 records a second, timers of the caller's thread came 7 to 8 ms late (p99.9), and
 * 9 to 11 ms with a recorder of the same priority; nicer still, it is itself kept from the lanes while the store puts roll-ups together. Where there are cores enough it changes nothing.
 */
const NICER = 5
const NICEST = 19
// To Linux 0 is the thread that asks, not its process.
setPriority(0, Math.min(NICEST, getPriority(0) + NICER))

const port = parentPort as MessagePort
const { arena, place, terms, told } = workerData as RecorderThread
const numbers = new Float64Array(told)
const session = joinArena(arena)
let store: HistoryStore | undefined
let degraded: Error | null = null

const tell = (message: FromThread) => port.postMessage(message)

const access: StoreAccess = {
  async open() {
    store = await openPlace(place)
    return store
  },
  close: open => open.close()
}

const recording = new Recording(session, access, terms, {
  waiting: () => tell({ event: 'waiting' }),
  failed(error) {
    tell({ event: 'failed', error: plainError(error) })
    leave()
  },
  looked: publish,
  delay: () => (Number.isNaN(numbers[Told.Delay]) ? undefined : numbers[Told.Delay])
})

void recording.begun.then(() => {
  if (recording.store === undefined) return
  publish()
  tell({ event: 'begun', recovered: recording.store.recovered })
})

function publish(): void {
  const { events, runs, actions, lost } = recording.counts
  numbers[Told.Active] = recording.active ? 1 : 0
  numbers[Told.Events] = events
  numbers[Told.Runs] = runs
  numbers[Told.Actions] = actions
  numbers[Told.Lost] = lost
  if (store === undefined) return
  const health = store.health()
  numbers[Told.Buffered] = health.buffered
  numbers[Told.Dropped] = health.dropped
  if (health.degraded === degraded) return
  degraded = health.degraded
  tell({ event: 'degraded', error: degraded === null ? null : plainError(degraded) })
}

async function answer(message: Extract<ToThread, { id: number }>): Promise<unknown> {
  if (message.call === 'stop') return recording.stop()
  await recording.begun
  if (recording.store === undefined) throw new ClosedError('this recorder has stopped', { resource: undefined })
  if (message.call === 'drain') return recording.drain()
  const call = recording.store[message.call] as (...args: readonly unknown[]) => Promise<unknown>
  return call.apply(recording.store, [...message.args])
}

/** With nothing left to listen to, the thread ends. */
function leave(): void {
  numbers[Told.Active] = 0
  session.leave()
  port.close()
}

port.on('message', async (message: ToThread) => {
  if ('append' in message) {
    recording.store?.append(...message.append)
    return
  }
  const { id } = message
  try {
    const value = await answer(message)
    publish()
    tell({ id, value })
  } catch (error) {
    tell({ id, error: plainError(error) })
  }
  if (message.call === 'stop') leave()
})

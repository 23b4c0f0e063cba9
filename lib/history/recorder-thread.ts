// The thread of a recorder: drains, decodes and writes, away from the event loop of whoever asked for it.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { sayEnd } from '../thread/at-exit.js'
import { giveWay } from '../thread/give-way.js'
import { serveRecorder } from './serve-recorder.js'

/**
 * What may be late gives way to what may not: on one core, at 110,000 records a second, timers of the caller's thread came 7 to 8 ms late (p99.9), and
 * 9 to 11 ms with a recorder of the same priority; nicer still, it is itself kept from the lanes while the store puts roll-ups together. Where there are cores enough it changes nothing.
 */
const NICER = 5
giveWay(NICER)

const port = parentPort as MessagePort
const { end, start } = workerData
sayEnd(end)
const recorder = serveRecorder(start, { post: message => port.postMessage(message), close: () => port.close() })
port.on('message', message => recorder.hear(message))

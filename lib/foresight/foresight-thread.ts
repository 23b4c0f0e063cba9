// The thread of foresight: reads the lanes and learns, away from the event loop of whoever asks.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { joinArena } from '../open.js'
import { giveWay } from '../thread/give-way.js'
import { plainError } from '../thread/plain-error.js'
import type { Question } from './answers.js'
import { LocalWatch } from './local-watch.js'
import type { FromWatch, ToWatch, WatchThread } from './messages.js'

/** As the recorder does. */
const NICER = 5
giveWay(NICER)

const port = parentPort as MessagePort
const { arena, terms } = workerData as WatchThread
const session = joinArena(arena)
const tell = (message: FromWatch) => port.postMessage(message)

const watch = new LocalWatch(session, terms, {
  anomaly: anomaly => tell({ event: 'anomaly', anomaly }),
  sized: record => tell({ event: 'sized', record }),
  failed(error) {
    tell({ event: 'failed', error: plainError(error) })
    leave()
  }
})

// What comes over the port is what face.ts sent: the types of one question are not known here.
const ask = watch.ask.bind(watch) as (call: Question, ...args: readonly unknown[]) => Promise<unknown>

/** With nothing left to listen to, the thread ends. */
function leave(): void {
  session.leave()
  port.close()
}

port.on('message', async ({ id, call, args }: ToWatch) => {
  try {
    if (call === 'stop') await watch.stop()
    const value = call === 'stop' ? undefined : await ask(call, ...args)
    tell({ id, value })
  } catch (error) {
    tell({ id, error: plainError(error) })
  }
  if (call === 'stop') leave()
})

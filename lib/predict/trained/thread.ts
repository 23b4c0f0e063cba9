// The thread in which models are fitted that take long, or block: away from the event loop of whoever wants them.
import { type MessagePort, parentPort } from 'node:worker_threads'
import { isForelockError, type LoadError } from '../../errors/index.js'
import { giveWay } from '../../thread/give-way.js'
import { loadAugurs, TrapError } from './augurs-fit.js'
import type { Fit, Fitted, FromFitThread } from './fits.js'
import { fitRecurrent, loadTensorflow } from './recurrent-fit.js'

const NICER = 10
giveWay(NICER)

// Engines write advice and notes there, which are not for the terminal of whoever uses them; errors go as messages.
for (const stream of [process.stdout, process.stderr]) stream.write = () => true

const port = parentPort as MessagePort
const tell = (message: FromFitThread) => port.postMessage(message)

async function fitted(fit: Fit): Promise<Fitted[Fit['kind']]> {
  if (fit.kind === 'recurrent') {
    const tensorflow = await loadTensorflow()
    tell({ event: 'begun' })
    return fitRecurrent(tensorflow, fit)
  }
  const line = await loadAugurs(fit.kind)
  tell({ event: 'begun' })
  const began = performance.now()
  const value = line(fit)
  // Whoever asked ends this thread when it is late, unless he stands still himself just then.
  return performance.now() - began > fit.budget ? undefined : value
}

port.on('message', async (fit: Fit) => {
  try {
    tell({ event: 'fitted', value: await fitted(fit) })
  } catch (error) {
    if (error instanceof TrapError) {
      tell({ event: 'trapped' })
      return
    }
    const needs = isForelockError(error, 'ERR_FORELOCK_LOAD') ? (error as LoadError).attempts[0]?.from : undefined
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    tell({ event: 'failed', name, message, needs })
  }
})

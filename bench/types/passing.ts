import type { MessagePort } from 'node:worker_threads'
import type { Pipe } from '../drivers/driver.js'
import { letItSleep } from './handoff.js'
import type { Kind, Work } from './kind.js'
import { myStarter, startHelper } from './peers.js'

async function connectPipe({ job, connect }: Work): Promise<{ pipe: Pipe; close(): void | Promise<void> }> {
  const driver = await connect()
  if (driver.pipe === undefined) throw new Error(`${job.driver} cannot pass records on`)
  return { pipe: driver.pipe, close: () => driver.close() }
}

/**
 * ns from the call that sends a record to the first line that has it in another process or thread (`thread`), which waits for it. Timed as
 * hand-offs are.
 */
export const passing: Kind = async work => {
  const { job } = work
  const { pipe, close } = await connectPipe(work)
  const helper = startHelper({ ...job, kind: 'passingReceiver' }, job.params.thread as 'process' | 'worker')
  const warmUp = 20
  const turns = warmUp + (job.quick ? 100 : 300)
  const value: number[] = []
  if ((await helper.next()) !== 'ready') throw new Error('the receiver is not ready')
  if (pipe.far !== undefined) helper.send(pipe.far, [pipe.far])
  for (let turn = 0; turn < turns; turn++) {
    const waiting = helper.next()
    helper.send('wait')
    await waiting
    letItSleep()
    const received = helper.next()
    const sent = process.hrtime.bigint()
    const sending = pipe.send()
    const at = BigInt((await received) as string)
    await sending
    if (turn >= warmUp) value.push(Number(at - sent))
  }
  await helper.stop()
  await close()
  return { series: { value } }
}

export const passingReceiver: Kind = async work => {
  const { pipe, close } = await connectPipe(work)
  const starter = myStarter()
  starter.listen(async message => {
    if (message !== 'wait') {
      pipe.adopt?.(message as MessagePort)
      return
    }
    const received = pipe.receive()
    starter.send('waiting')
    await received
    starter.send(String(process.hrtime.bigint()))
  })
  starter.send('ready')
  await starter.stopped
  await close()
  return { series: {} }
}

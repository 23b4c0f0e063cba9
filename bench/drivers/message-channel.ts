import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { type Connect, nothing, RECORD_SIZE } from './driver.js'

export const connect: Connect = async () => {
  const record = new Uint8Array(RECORD_SIZE)
  const { port1, port2 } = new MessageChannel()
  let receiver: MessagePort | undefined
  let arrived: (value?: undefined) => void = nothing
  return {
    records(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        port1.postMessage(record)
        if (receiveMessageOnPort(port2)?.message.length === RECORD_SIZE) done++
      }
      return done
    },
    pipe: {
      far: port2,
      adopt(far) {
        receiver = far
        far.on('message', () => arrived())
      },
      send: () => port1.postMessage(record),
      receive: () => new Promise(resolve => (arrived = resolve))
    },
    close() {
      receiver?.close()
      port1.close()
      port2.close()
    }
  }
}

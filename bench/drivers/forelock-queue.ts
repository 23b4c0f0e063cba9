import { type Connect, RECORD_SIZE } from './driver.js'
import { arenaOf, load } from './forelock.js'

export const connect: Connect = async setting => {
  const { open } = await load(setting)
  const gov = open(arenaOf(setting))
  const queue = gov.queue('queue')
  const record = new Uint8Array(RECORD_SIZE)
  return {
    records(n) {
      let done = 0
      for (let i = 0; i < n; i++) if (queue.offer(record) && queue.poll()?.ack()) done++
      return done
    },
    recordsInTurn(n) {
      let done = 0
      let item: ReturnType<typeof queue.poll> = null
      for (let i = 0; i < n; i++) {
        if (!queue.offer(record)) break
        item = item === null ? queue.poll() : item.next()
        if (item !== null) done++
      }
      return item?.ack() === true ? done : 0
    },
    pipe: {
      send() {
        if (!queue.offer(record)) throw new Error('the queue is full')
      },
      async receive() {
        const item = await queue.take()
        item.ack()
      }
    },
    close: () => gov.close()
  }
}

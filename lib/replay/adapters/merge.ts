import { BATCH_REQUESTS, type TraceRequest } from '../trace.js'

/** One trace of several, each in the order of time; of two at once the one of the earlier source first. */
export async function* merged(sources: readonly AsyncIterable<readonly TraceRequest[]>[]): AsyncGenerator<readonly TraceRequest[]> {
  const heads = await Promise.all(sources.map(source => Head.of(source)))
  try {
    let batch: TraceRequest[] = []
    for (;;) {
      let first: Head | undefined
      for (const head of heads) {
        if (head.next === undefined) await head.fill()
        if (head.next !== undefined && (first?.next === undefined || head.next.time < first.next.time)) first = head
      }
      if (first?.next === undefined) break
      batch.push(first.next)
      first.at++
      if (batch.length < BATCH_REQUESTS) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  } finally {
    await Promise.all(heads.map(head => head.close()))
  }
}

class Head {
  at = 0
  private batch: readonly TraceRequest[] = []

  private constructor(private readonly source: AsyncIterator<readonly TraceRequest[]>) {}

  static async of(source: AsyncIterable<readonly TraceRequest[]>): Promise<Head> {
    const head = new Head(source[Symbol.asyncIterator]())
    await head.fill()
    return head
  }

  get next(): TraceRequest | undefined {
    return this.batch[this.at]
  }

  async fill(): Promise<void> {
    while (this.next === undefined) {
      const { value, done } = await this.source.next()
      if (done === true) return
      this.batch = value
      this.at = 0
    }
  }

  async close(): Promise<void> {
    await this.source.return?.()
  }
}

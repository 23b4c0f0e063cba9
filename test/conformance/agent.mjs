import { Worker } from 'node:worker_threads'

const ENTRY = new URL('./agent-entry.mjs', import.meta.url)

/** A web worker on a worker thread: an agent with an environment, and so a client id, of its own. Event `ready`: its script has run. */
export class Agent extends EventTarget {
  #thread

  /** @param {{ root: string, base: string, module: string, script: string }} options script: the file it runs */
  constructor(options) {
    super()
    this.#thread = new Worker(ENTRY, { workerData: options })
    this.#thread.on('message', ({ ready, data }) =>
      this.dispatchEvent(ready ? new Event('ready') : Object.assign(new Event('message'), { data }))
    )
  }

  postMessage(data) {
    this.#thread.postMessage(data)
  }

  terminate() {
    this.#thread.terminate()
  }
}

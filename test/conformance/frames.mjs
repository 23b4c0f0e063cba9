import { Agent } from './agent.mjs'
import { define, resolveUrl } from './globals.mjs'

/**
 * Frames as worker threads: both are agents with a client id of their own that a page talks to by messages. Removing a
 * frame or navigating it ends its agent.
 */
export function defineFrames({ root, base, module }) {
  class Frame extends EventTarget {
    #agent
    contentWindow = { postMessage: data => this.#agent.postMessage(data) }
    parentElement = { removeChild: frame => frame.remove() }

    set src(url) {
      this.#agent?.terminate()
      if (url === 'about:blank') return
      this.#agent = new Agent({ root, base, module, script: resolveUrl(root, base, url) })
      this.#agent.addEventListener('ready', () => this.dispatchEvent(new Event('load')))
      this.#agent.addEventListener('message', ({ data }) => this.#receive(data))
    }

    remove() {
      this.#agent.terminate()
    }

    #receive(data) {
      self.dispatchEvent(Object.assign(new Event('message'), { data, source: this.contentWindow }))
    }
  }
  define('document', { createElement: () => new Frame(), documentElement: { appendChild() {} }, getElementsByTagName: () => [] })
}

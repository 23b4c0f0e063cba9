import type { Admission } from '../admission.js'
import { type AdmitParts, admit, type Refusal, tryAdmit } from '../admit.js'
import { FullError } from '../errors/index.js'
import { type Pool, pools } from '../pool.js'
import type { AmountsByName } from '../pool-terms.js'
import type { Session } from '../session.js'
import type { OnScale, ScaleRequest, WhenFull } from './learning.js'

/** Admits the runs of a workflow that does not just wait where there is no room at once. */
export class Doorkeeper {
  /** somebody is bringing more */
  private scaling = false

  constructor(
    private readonly session: Session,
    private readonly whenFull: Exclude<WhenFull, 'queue'>,
    private readonly onScale: OnScale | undefined
  ) {}

  /**
   * @param terms as {@link Governor.admit} takes them
   * @param about of a scale request, what is not known from the refusal
   * @returns rejected as that, with a FullError, or with what the hook failed by
   */
  async admit(parts: AdmitParts, terms: object, about: Pick<ScaleRequest, 'workflow' | 'tier' | 'amounts'>): Promise<Admission> {
    const { session, whenFull, onScale } = this
    const { waitTimeout, signal, ...now } = terms as { waitTimeout?: number; signal?: AbortSignal }
    if (signal?.aborted) throw signal.reason
    const answer = tryAdmit(session, parts, now)
    if (answer.ok) return answer
    if (whenFull === 'reject') throw full(answer, parts, about)
    if (onScale === undefined || this.scaling) return admit(session, parts, terms)
    const { kind, name, waitMs } = answer
    return this.scale(onScale, parts, terms, { ...about, amounts: about.amounts ?? amountsOf(parts, answer), kind, name, waitMs })
  }

  /** The wait and the hook at once: a hook that fails ends the wait of the run that it was called for. */
  private async scale(onScale: OnScale, parts: AdmitParts, terms: object, request: ScaleRequest): Promise<Admission> {
    const { signal } = terms as { signal?: AbortSignal }
    const failed = new AbortController()
    const giveUp = () => failed.abort(signal?.reason)
    signal?.addEventListener('abort', giveUp, { once: true })
    this.scaling = true
    void (async () => onScale(request))()
      .catch(error => failed.abort(error))
      .finally(() => {
        this.scaling = false
      })
    try {
      return await admit(this.session, parts, { ...terms, signal: failed.signal })
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }
}

/** What was to be held of the pool that refused, where it was one. */
function amountsOf({ pool = [] }: AdmitParts, { kind, name }: Refusal): AmountsByName | undefined {
  if (kind !== 'pool') return undefined
  const each = (pools.isPool(pool[0]) ? [pool] : pool) as readonly (readonly [Pool, AmountsByName])[]
  return each.find(([one]) => one.name === name)?.[1]
}

function full(
  { kind, name, waitMs }: Refusal,
  parts: AdmitParts,
  { workflow, amounts }: Pick<ScaleRequest, 'workflow' | 'amounts'>
): FullError {
  const asked = amounts ?? parts
  return new FullError(`there is no room for a run of ${JSON.stringify(workflow)} at the ${kind} ${JSON.stringify(name)} now`, {
    resource: name,
    kind,
    asked,
    waitMs
  })
}

// Workers do not inherit the loader of their parent on every Node.
import { register } from 'tsx/esm/api'

register()
await import('./agent.ts')

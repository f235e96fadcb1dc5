import type { Step } from './step.ts'

/** Hands what another API server answers for to that server. */
export const aggregate: Step = {
  name: 'aggregate',
  run({ request, server, user }) {
    const service = server.aggregation.serviceOf(request.path)
    return service && server.aggregation.answer(service, request, user)
  },
}

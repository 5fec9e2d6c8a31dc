// POST /__control/{pause|resume|stop|start}/{rest|postgres|redis}: lets tests make Supabase slow or dead. Throw-away stacks only.
const ACTIONS = ["pause", "resume", "stop", "start"];

export const controlHandler = (services) => async (request, url) => {
  const [, action, name] = /^\/__control\/(\w+)\/(\w+)$/.exec(url.pathname) ?? [];
  const service = Object.hasOwn(services, name ?? "") ? services[name] : null;
  if (request.method !== "POST" || !ACTIONS.includes(action) || !service) {
    return { status: 404, body: { message: `POST /__control/{${ACTIONS.join("|")}}/{${Object.keys(services).join("|")}}` } };
  }
  await service[action]();
  return { body: { [name]: action } };
};

// Asks whether a waiting gift has settled, ever more seldom, and shows the page anew when it has.
const LONGEST = 30_000;

export function enhance(element) {
  const { address, state } = element.dataset;
  const ask = async (pause) => {
    const answer = await fetch(address, { cache: "no-store" }).then((reply) => reply.json()).catch(() => ({ state }));
    if (answer.state && answer.state !== state) location.reload();
    else setTimeout(ask, pause, Math.min(pause * 1.3, LONGEST));
  };
  setTimeout(ask, 1000, 1500);
}

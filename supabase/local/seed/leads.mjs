/** A lead's score from what the call was about (0 to 100): treatments of the price list count by their price. */
export function scoreLead(random, scenario, mood, treatment) {
  const worth = !treatment ? 0 : treatment.price >= 3000 ? 22 : 10;
  const feeling = { positive: 14, neutral: 0, negative: -22 }[mood];
  return Math.max(0, Math.min(100, 34 + scenario.interest + worth + feeling + random.int(-6, 6)));
}

/** hot from 70, warm from 40, else cold. */
export const temperatureOf = (score) => (score >= 70 ? "hot" : score >= 40 ? "warm" : "cold");

/**
 * What calls are about. Turns are [speaker, mood, ...wordings]: speaker "v" (Voxanne) or "c" (caller); mood "+", "-", "" (neutral),
 * or "?": the caller's mood, with the wordings for a positive, neutral and negative one in this order.
 * {first} {clinic} {service} {keyword} {price} {day} {time} {minutes} {city} are filled in for each call.
 * `moods` says how often the caller ends up in which; `treatment` whether the call is about a service of the price list.
 */
export const SCENARIOS = {
  booking: {
    weight: 0, treatment: true, outcome: "booked", tools: ["lookup_caller", "check_availability", "book_appointment"], interest: 22,
    moods: { positive: 68, neutral: 29, negative: 3 }, summary: "{who} asked about {keyword} and booked for {day} at {time}.",
    actions: ["Send confirmation to {who}", "Prepare {service} information pack"],
    turns: [
      ["c", "", "Hi, I'd like to come in about {keyword}, please.", "Hello, can I make an appointment for {keyword}?", "Hi there. I've been thinking about {keyword} for a while and I'd like to see someone."],
      ["v", "", "Of course. {service} starts at {price} and the first visit takes about {minutes} minutes. Which day suits you?", "I'd be glad to help with that. The first visit is {minutes} minutes, and {service} starts at {price}. When would you like to come?"],
      ["c", "", "Would {day} be possible?", "Something like {day}, if you have it.", "I'm free on {day}, after lunch or so."],
      ["v", "", "I have {time} on {day}. Shall I put you down?", "{day} at {time} is free. Does that work?"],
      ["c", "+", "Perfect, yes please.", "That works, thank you.", "Great, I'll take it."],
      ["v", "+", "You're booked for {day} at {time}. You'll get a text with the details.", "All done: {day} at {time}. A confirmation is on its way to you."],
    ],
  },
  enquiry: {
    weight: 30, treatment: true, outcome: "information_given", tools: ["lookup_caller"], interest: 6,
    moods: { positive: 38, neutral: 50, negative: 12 }, summary: "{who} asked what {keyword} costs and how long recovery takes.",
    actions: ["Call {who} back about {service}"],
    turns: [
      ["c", "", "How much is {keyword} with you?", "Hi, I'm ringing round for prices. What do you charge for {keyword}?", "I wanted to ask about {keyword}. What would that cost me?"],
      ["v", "", "{service} starts at {price}; the exact price depends on what you and the doctor decide.", "Prices for {service} start at {price}, and the consultation is taken off if you go ahead."],
      ["c", "", "And how long until I'm back at work?", "Is there much downtime?", "How long does it take to heal?"],
      ["v", "", "Most people take a few days. Our clinicians go through that with you beforehand.", "That differs from person to person; the doctor explains it at the first visit, which is {minutes} minutes."],
      ["c", "?", "Lovely. Could somebody call me about a date?", "Thanks, let me talk to my partner first.", "That's more than I expected. I'll think about it."],
    ],
  },
  finance: {
    weight: 8, treatment: true, outcome: "callback_requested", tools: ["lookup_caller", "notify_hot_lead"], interest: 18,
    moods: { positive: 45, neutral: 45, negative: 10 }, summary: "{who} wants {keyword} soon and asked about paying monthly.",
    actions: ["Send finance leaflet to {who}", "Patient coordinator to call back within a day"],
    turns: [
      ["c", "", "I want to have {keyword} done before the summer. Can I pay monthly?", "Do you do payment plans for {keyword}? I'd like it as soon as possible."],
      ["v", "", "Yes, for treatments like {service} at {price} we offer plans over ten or twenty-four months.", "We do. {service} is {price}, and it can be spread over up to twenty-four months."],
      ["c", "?", "That sounds doable. Could someone ring me with the details?", "Okay. I'd want to know the interest before anything else.", "So much? I had hoped for a discount."],
      ["v", "", "Our coordinator will call you today. Is this the best number?", "I'll have our coordinator ring you. Is this number all right?"],
      ["c", "?", "Yes, this one. Thank you!", "Yes, any time after five.", "Yes, but not in the evening, please."],
    ],
  },
  reschedule: {
    weight: 12, outcome: "rescheduled", tools: ["lookup_caller", "check_availability", "book_appointment"], interest: -4,
    moods: { positive: 40, neutral: 55, negative: 5 }, summary: "{who} moved an appointment to {day} at {time}.", actions: ["Confirm the new time with {who}"],
    turns: [
      ["c", "", "I can't make my appointment, can I move it?", "Something's come up at work. Could we find another time for my visit?"],
      ["v", "", "No problem. I see {time} on {day}. Would that suit?", "Of course. The next free time is {day} at {time}."],
      ["c", "?", "That's much better, thank you.", "Yes, that's fine.", "It will have to do."],
      ["v", "+", "It's moved to {day} at {time}. See you then.", "Done. You'll get a new confirmation by text."],
    ],
  },
  cancellation: {
    weight: 5, outcome: "cancelled", tools: ["lookup_caller"], interest: -15,
    moods: { positive: 5, neutral: 65, negative: 30 }, summary: "{who} cancelled and did not want another time.", actions: ["Offer {who} a new appointment in two weeks"],
    turns: [
      ["c", "", "I'd like to cancel my appointment, please.", "I won't be coming this week after all."],
      ["v", "", "I'm sorry to hear that. Shall I look for another time?", "That's no trouble. Would you like a later date instead?"],
      ["c", "?", "Not for now, but thank you for everything.", "No, not for now.", "No. Honestly it has become too expensive for me."],
      ["v", "", "I've cancelled it. Call us whenever you're ready.", "It's cancelled, and nothing will be charged."],
    ],
  },
  aftercare: {
    weight: 11, treatment: true, outcome: "information_given", tools: ["lookup_caller"], interest: -6,
    moods: { positive: 25, neutral: 55, negative: 20 }, summary: "{who} had questions after {keyword}; aftercare advice was given.", actions: ["Nurse to check in with {who} tomorrow"],
    turns: [
      ["c", "-", "I had {keyword} with you on {day} and it's still a bit swollen. Is that normal?", "Hello, I've got some bruising since my {keyword}. Should I be worried?"],
      ["v", "", "Some swelling in the first days is expected. Have you any fever or severe pain?", "Thank you for calling. Is it getting worse, or is there any fever?"],
      ["c", "", "No, nothing like that.", "No fever. It's just tender."],
      ["v", "", "Then keep it cool and rest. A nurse will ring you tomorrow; call at once if it gets worse.", "That sounds as it should be. I'm leaving a note for the nurse to call you."],
      ["c", "?", "Okay, that's a relief.", "All right, thanks.", "I'd rather have spoken to a doctor, to be honest."],
    ],
  },
  complaint: {
    weight: 5, outcome: "complaint_logged", tools: ["lookup_caller", "transfer_call"], interest: -20, urgent: true,
    moods: { positive: 0, neutral: 15, negative: 85 }, summary: "{who} complained about waiting and asked for the practice manager.", actions: ["Practice manager to call {who} today", "Review the case before the call"],
    turns: [
      ["c", "-", "I've been waiting for a call back for a week. This is not good enough.", "I was kept waiting forty minutes on {day} and nobody apologised."],
      ["v", "", "I'm very sorry. Let me take this down so that the manager calls you today.", "That shouldn't have happened, and I apologise. May I note what went wrong?"],
      ["c", "-", "I've explained it twice already. I want to speak to a person.", "I just want somebody to take responsibility."],
      ["v", "", "Understood. The practice manager will call you before six.", "I'm passing this to the practice manager right now."],
    ],
  },
  hours: {
    weight: 13, outcome: "information_given", tools: [], interest: -2,
    moods: { positive: 35, neutral: 63, negative: 2 }, summary: "{who} asked for opening hours and the way to the clinic.", actions: [],
    turns: [
      ["c", "", "What time do you close today?", "Are you open on Saturdays?", "Where exactly in {city} are you?"],
      ["v", "", "We're open from nine to six, Monday to Friday, and until one on Saturdays.", "We're in the centre of {city}, and open from nine to six."],
      ["c", "?", "Great. And is there parking?", "Okay. Is there parking nearby?", "That's rather early. Is there parking at least?"],
      ["v", "", "There's a car park around the corner. Anything else I can do?", "You're welcome. Have a good day."],
    ],
  },
  bookback: {
    weight: 0, treatment: true, outcome: "booked", tools: ["lookup_caller", "check_availability", "book_appointment"], interest: 22,
    moods: { positive: 70, neutral: 28, negative: 2 }, summary: "Called {who} back about {keyword}; booked for {day} at {time}.",
    actions: ["Send confirmation to {who}"],
    turns: [
      ["v", "", "You asked us about {keyword}. I could offer you a visit on {day} at {time}.", "I'm returning your call about {keyword}. {day} at {time} is free, if you'd like it."],
      ["c", "", "What did you say it costs?", "And the price was?"],
      ["v", "", "{service} starts at {price}, and the visit takes {minutes} minutes."],
      ["c", "?", "Then yes, let's do it!", "Okay, {day} works.", "Well, I've waited long enough. Yes."],
      ["v", "+", "You're booked for {day} at {time}.", "Done: {day} at {time}. A confirmation is on its way."],
    ],
  },
  callback: {
    weight: 0, outbound: 55, treatment: true, outcome: "information_given", tools: ["lookup_caller"], interest: 8,
    moods: { positive: 45, neutral: 47, negative: 8 }, summary: "Called {who} back about {keyword}; they will decide this week.", actions: ["Follow up with {who} next week"],
    turns: [
      ["v", "", "You asked us about {keyword}. Is now a good moment?", "I'm returning your call about {keyword}."],
      ["c", "", "Oh yes, thanks for calling back. How much was it again?", "Yes, quickly. What's the price?"],
      ["v", "", "{service} starts at {price}. I could offer you {day} at {time}.", "It starts at {price}, and there's a free place on {day} at {time}."],
      ["c", "?", "I'd love that, let me check my diary and ring you.", "I'll let you know by the end of the week.", "I'm not so sure any more."],
    ],
  },
  reminder: {
    weight: 0, outbound: 45, outcome: "confirmed", tools: ["lookup_caller"], interest: 0,
    moods: { positive: 45, neutral: 53, negative: 2 }, summary: "{who} confirmed the appointment on {day} at {time}.", actions: [],
    turns: [
      ["v", "", "I'm calling about your appointment on {day} at {time}. Will you be able to come?", "Just a reminder of your visit on {day} at {time}. Does that still work?"],
      ["c", "?", "Yes, I'm looking forward to it.", "Yes, see you then.", "I think so. You've moved it twice already."],
      ["v", "+", "Lovely. Please come ten minutes early for the forms.", "Thank you, see you on {day}."],
    ],
  },
};

export const OPENINGS = {
  inbound: ["Thank you for calling {clinic}, this is Voxanne. How can I help?", "{clinic}, Voxanne speaking. What can I do for you?", "Good day, you've reached {clinic}. I'm Voxanne, the virtual receptionist."],
  outbound: ["Hello {first}, this is Voxanne from {clinic}.", "Hi {first}, it's Voxanne calling from {clinic}."],
};

export const CLOSINGS = {
  positive: ["Brilliant, thank you so much!", "You've been really helpful. Bye!", "Wonderful, thanks. I'm looking forward to it."],
  neutral: ["Okay, thank you. Bye.", "Right, thanks.", "That's all. Goodbye."],
  negative: ["I'm not happy about this.", "I'll look elsewhere, then.", "Fine. Goodbye."],
};

export const HANDOVER = ["Let me put you through to a colleague at the front desk.", "One moment, I'm connecting you with our team."];
export const TRANSFER_REASONS = ["caller asked for a person", "clinical question", "complaint", "payment question"];

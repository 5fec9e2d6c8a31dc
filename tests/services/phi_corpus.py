"""Turns of conversations as they are heard at a clinic's phone, written by us; what identifies somebody is in braces.

`{N:…}` name, `{P:…}` phone number, `{E:…}` e-mail address, `{B:…}` date of birth, `{C:…}` card, `{S:…}` social-security
number, `{X:…}` another number of a person. A line that begins with "agent:" is the assistant's.
"""

import re

from voxanne.services.phi_redaction import tokens

KINDS = {
    "N": tokens.NAME,
    "P": tokens.PHONE,
    "E": tokens.EMAIL,
    "B": tokens.BIRTH,
    "C": tokens.CARD,
    "S": tokens.SSN,
    "X": tokens.NUMBER,
}
_LABEL = re.compile(r"\{([NPEBCSX]):([^}]*)\}")

TURNS = """\
Hi, my name is {N:Jane Doe}, I'd like to book a consultation for a rhinoplasty.
hi my name is {N:maria gonzalez} and i wanted to ask about lip filler
my name's {N:Tom} and I saw your ad for laser hair removal
This is {N:Robert O'Brien} calling about my appointment tomorrow at three.
this is {N:sarah miller} speaking
Yeah, it's {N:Kevin} again, I called last week about the facelift.
I'm {N:Priya Raman}, I was referred by Dr. Patel.
The appointment is for my daughter {N:Emma}, she's sixteen.
My husband {N:Carlos} has the same problem with his eyelids.
Mrs. {N:Whitfield} here, I'd like to speak with Nurse Kelly.
My last name is {N:Nguyen}, spelled {N:N-G-U-Y-E-N}.
It's under the name of {N:Abdul Rahman}.
First name is {N:Siobhan}, that's {N:S I O B H A N}.
Please call me {N:Liz}, nobody says {N:Elizabeth}.
my full name is {N:jose de la cruz}
I'm calling for Mr {N:Abernathy}, he can't come on Friday.
agent: Thank you, {N:Jane}. Am I speaking with {N:Jane Doe}?
agent: Hi, this is Ava, the virtual assistant at Bright Smile Clinic. How can I help?
agent: My name is Ava, I'm the receptionist. What's your name?
I am really interested in the mommy makeover package.
I'm not sure, I'm just looking for prices.
This is great, thank you so much.
It's okay, I can wait until Tuesday.
I'd like to see Dr. Chen or Dr. Sofia Alvarez, whoever is free.
Will you have anything in May? Mark it down please.
My number is {P:415-555-2671}.
You can reach me at {P:(415) 555 2671} after five.
it's {P:four one five five five five two six seven one}
Sure, {P:four one five, five five five, two six seven one}.
my cell is {P:4 1 5, 5 5 5, 2 6 7 1}
Call me back on {P:four fifteen, five fifty-five, twenty-six seventy-one}.
{P:one eight hundred five five five oh one two three} is my work number
It's {P:double five five, oh one two, three four five six}.
My UK number is {P:+44 20 7946 0018}.
plus {P:four four two oh seven nine four six oh oh one eight}
the number is {P:555-2671}, same area code
My office is {P:415.555.0199} extension twelve.
agent: So that's {P:4155552671}, is that right?
agent: I have area code {P:four one five, five five five, two six seven one}.
My email is {E:jane.doe@gmail.com}.
it's {E:jane dot doe at gmail dot com}
my email is {E:j smith 42 at yahoo dot com}
{E:maria underscore g at outlook dot com}, all lowercase
send it to {E:info at bakery dash smith dot co dot uk} please
you can use {E:kevin+clinic@icloud.com} or text me
my email address is {E:t o m at mail dot example}
My date of birth is {B:March 14, 1982}.
I was born on {B:march third nineteen eighty two}.
DOB {B:03/14/1982}
my birthday is the {B:third of March eighty two}
{B:july fourth nineteen seventy six}
date of birth {B:three fourteen eighty two}
It's {B:12/08/1990}.
I was born {B:1990-12-08}.
She was born {B:August 2nd, 2009}, so she's under age.
birth date {B:two two nineteen ninety nine}
born in {B:nineteen sixty eight}
My birthday is {B:November 5th}, do you give a discount?
My social is {S:219-09-9999}.
social security number {S:two one nine, oh nine, nine nine nine nine}
the last four of my social are {S:9999}
My card number is {C:4111 1111 1111 1111}.
it's a visa, {C:four one one one, one one one one, one one one one, one one one one}
expires {C:12/27} and the security code is {C:123}
{C:5555555555554444}
Amex {C:3782 822463 10005}
the card ending in {C:four two four two}
My insurance member number is {X:88217744}.
policy number AB {X:4471 9920}
I'd like to come on December 3rd at 2:30 pm.
Can you do Tuesday the 5th, or the 6th, at ten thirty?
How about the twelfth of December twenty twenty six?
We have openings at 9, 10, 11, 2 and 3.
The rhinoplasty is 6,500 dollars and the consultation is $150.
so it costs four thousand five hundred dollars
somewhere between eight thousand and twelve thousand dollars
I had twenty units of botox in 2019 and again in 2022.
The liposuction takes 3 hours and 45 minutes.
I need 2 syringes, maybe 3, of filler.
We're at 1200 Market Street, suite 400.
I am 34 years old and 5 foot 6.
it was about two thousand five hundred grafts for the hair transplant
We open at 9 am and close at 6 pm, Monday to Friday.
It's 10% off, so $1,350.00 instead of $1,500.00.
My appointment was on November 20th, 2026, can I move it to 11/27/2026?
agent: I can offer Thursday, December 10, 2026 at 14:30.
You can read more at brightsmile dot com.
I saw you on social media and wanted to ask about veneers.
I'd say a 7 or 8 out of 10 for the pain.
agent: That will be one hundred and fifty dollars for the consultation.
Is there parking at 5 in the afternoon?
I was there in March 2025 for a chemical peel.
""".splitlines()


def labelled(line: str) -> tuple[str, str, str]:
    """Return speaker, text as spoken, and text as it should be stored."""
    speaker, text = ("agent", line.removeprefix("agent:").strip()) if line.startswith("agent:") else ("caller", line)
    return speaker, _LABEL.sub(r"\2", text), _LABEL.sub(lambda label: KINDS[label[1]], text)


CONVERSATION = """\
agent: Thanks for calling Bright Smile Clinic, this is Ava. How can I help you today?
Hi, I'm interested in a tummy tuck. My name is {N:Laura Bennett}.
agent: Lovely, {N:Laura}. What is the best number to reach you?
{P:four one five}
agent: Go on.
{P:five five five}
agent: Yes?
{P:two six seven one}
agent: And your date of birth, please?
{B:Ninth of June nineteen seventy four}.
agent: The tummy tuck is usually 6500 dollars. Would December 3rd at 10:30 suit you?
December third at ten thirty is fine. You may tell {N:bennett} that to my husband {N:Joe}.
agent: Perfect, see you then, {N:Laura}. I'll text {P:415 555 2671}.
""".splitlines()

# Written when the rules were done, and measured once before anything was mended by it: see the test's floor.
UNSEEN = """\
Good morning, you're speaking with {N:Hannah Weiss}, I had a call from you.
My mother {N:Ruth} would like a consultation too.
the patient's name is {N:Oliver Grant} and his date of birth is the {B:eleventh of July nineteen ninety one}
Um, my name, my name is {N:Fatima}.
{N:Priscilla} is my first name, oh sorry, I thought you asked.
Could you text me at {P:six one seven, five five five, oh one eight eight}?
Best number is {P:1-617-555-0188}.
you got {P:6 1 7 5 5 5 0 1 8 8} right?
I moved, so it's {P:+1 (617) 555-0188} now.
the number is {P:six one seven five five five, uh, oh one eight eight}
write me at {E:hannah.weiss@posteo.de}
my address is {E:hannah dash weiss at proton dot me}
it is {E:fatima nineteen at hotmail dot com}
My birthday is the {B:twenty-second of August, nineteen fifty-nine}.
I was born in {B:1977}.
{B:nine eleven eighty four} is my date of birth
{B:September 9th 1984}, that's when I was born.
I'll pay by card, {C:five five five five, five five five five, five five five five, four four four four}.
the expiry date is {C:08/29}
The number on it is {C:6011 0009 9013 9424}.
My social's {S:five one two, three four, five six seven eight}.
My account with you is {X:0048812}.
Do you have something on the 14th at a quarter past four?
I'd need about thirty units in the forehead and twenty in the crow's feet.
Is the tummy tuck still 7,200 plus anesthesia?
My BMI is 27.5 and I weigh 165 pounds.
I've been thinking about it since January 2024.
The flight is on the 2nd of February 2027, can I come before?
I take 50 milligrams once a day, for 12 years now.
Is Dr. Okafor in on Wednesdays between 9:30 and 1:15?
I'm calling from Chicago about a breast reduction.
agent: Your appointment is on Monday, January 4th 2027 at nine fifteen.
agent: We are at 88 Harbor Road, floor 3, suite 310.
agent: The deposit is two hundred fifty dollars and the rest is due in 30 days.
It's about one thousand two hundred, isn't it?
I read that 9 out of 10 people are happy with it.
Thanks, bye bye, have a good one.
My son is 12 and my daughter is 15.
""".splitlines()

# What a hostile reading of the rules found to go through, and what it found to be taken for names.
REVIEWED = """\
Hello there, {N:Jasmine} here, I'm calling about my Botox.
{N:Dana} speaking, who's this?
Hey, you've got {N:Marcus Webb}. I missed a call from this number.
Can you put it under {N:Smith}, {N:Rebecca Smith}?
Put me down as {N:Anthony Russo} please.
My mother-in-law {N:Gloria} wants to come as well.
I go by {N:Teddy}, but it's {N:Theodore Marsh} on file.
I was told to ask for {N:Brenda}.
my boyfriend {N:Chad} recommended you
patient is {N:Lucas Meyer} dob {B:1 2 1988}
my mobile is {P:oh seven seven double oh nine hundred one two three}
my birthdate's {B:oh five oh five nineteen ninety}
{E:m w e b b at gmail}
{E:bob dot jones at the rate gmail dot com}
{E:dana95 at yahoo}, that's it
the visa has an expiration of {C:April 2029}
I'm happy, I'm Canadian, I'm calling from Boston.
I'm Mormon so no Sundays.
Thanks Siri, I mean, thanks.
It is Tuesday. It's Christmas soon.
I am Type 2 diabetic.
Is it here? Do you have parking here?
I'd meet you at the clinic, not at home.
""".splitlines()

# A question of the assistant and the caller's answer.
ANSWERS = """\
May I have your name? | {N:Samantha Brooks}.
And who am I speaking with? | {N:Jeff}.
Could I get your full name please? | Sure, {N:Ngozi Okonkwo}.
What's your first name? | Um, it's {N:Bartholomew} and I need Botox.
And your last name? | {N:Finch}, with an F.
Who is this, please? | {N:Mary-Kate O'Neil} here.
May I have your name? | Rather not.
May I have your name? | Why do you need it?
Could I have your name? | Later, please.
And your name? | I told you already.
What's your name? | Excuse me?
What is the name of the procedure? | Rhinoplasty.
What are you interested in? | Juvederm.
Whom do you want to see, can I ask the name? | Dr. Lee.
""".splitlines()

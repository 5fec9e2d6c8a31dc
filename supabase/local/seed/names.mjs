/** Given and family names by origin; a patient gets both from the same one, now and then from two. */
export const NAMES = [
  { given: "Oliver Amelia George Isla Harry Ava Jack Emily Noah Grace Leo Sophie Arthur Florence Henry Poppy Thomas Charlotte Edward Alice",
    family: "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patterson Wright Walker Thompson Whitehouse Hughes Edwards Green Hall Wood Harrison Clarke" },
  { given: "Siobhán Aoife Niamh Ciarán Seán Róisín Eoin Caoimhe Padraig Orla Declan Gráinne Fergus Sinéad Conor Maeve",
    family: "O'Hara O'Brien O'Sullivan Murphy Kelly Byrne Ryan O'Neill McCarthy Gallagher Doherty Fitzgerald Nolan O'Rourke D'Arcy Quinn" },
  { given: "Michael Sarah James Jennifer Robert Ashley David Jessica Tyler Madison Brandon Hannah Justin Kayla Ethan Brooke Logan Megan",
    family: "Miller Anderson Moore Jackson Martin Lee Thompson Allen Young King Hill Carter Mitchell Roberts Turner Phillips Parker Collins" },
  { given: "María José Lucía Álvaro Sofía Íñigo Carmen Andrés Elena Joaquín Inés Nicolás Ximena Raúl Verónica Héctor",
    family: "García Rodríguez Núñez Peña Muñoz Hernández Gutiérrez Ibáñez Castañeda Jiménez Ordóñez Vásquez Contestabile Ríos Santamaría Delgado" },
  { given: "Eleni Dimitri Katerina Nikos Sofia Yannis Despina Kostas Ioanna Stavros Anastasia Petros",
    family: "Demopoulos Papadopoulos Demos Georgiou Demetriou Karagiannis Nikolaidis Demopoulou Angelopoulos Vassiliou Economou Hatzis" },
  { given: "Marco Giulia Lorenzo Chiara Matteo Francesca Davide Alessia Niccolò Bianca Stefano Ilaria",
    family: "Testa Rossi Testino Bianchi Ferrari D'Angelo De Luca Esposito Conti Testori Ricci Lo Presti" },
  { given: "Aarav Priya Rohan Ananya Arjun Diya Vikram Kavya Rahul Meera Sanjay Lakshmi Imran Nandini Harpreet Deepika",
    family: "Patel Sharma Singh Iyer Reddy Gupta Nair Chowdhury Kapoor Banerjee Desai Krishnan Mehta Kaur Rao Joshi" },
  { given: "Wei Li Ming Xiu Jun Mei Hao Yan Jian Ling Bo Hui Chen Xin",
    family: "Chen Wang Zhang Liu Yang Huang Zhao Wu Zhou Xu Lin Ng Ho Cheung" },
  { given: "Mohammed Fatima Ahmed Aisha Yusuf Layla Omar Zainab Hassan Noor Ibrahim Maryam Khalid Salma",
    family: "Al-Farsi Khan Hussain El-Sayed Rahman Haddad Mansour Abdullah Aziz Nasser Qureshi Ben-Ali Farouk Darwish" },
  { given: "Chidi Adaeze Kwame Abena Tunde Ngozi Femi Amara Kofi Zuri Emeka Folasade Sibusiso Thandiwe",
    family: "Okafor Mensah Adeyemi Nwosu Boateng Eze Owusu Okonkwo Diallo Mbeki Achebe Balogun Dlamini Ogunleye" },
  { given: "Łukasz Agnieszka Piotr Małgorzata Jakub Zofia Tomáš Ewelina Jiří Renáta Miloš Jelena Ștefan Ioana",
    family: "Kowalska Wiśniewski Nowak Wójcik Zieliński Novák Dvořák Černý Jovanović Đorđević Popescu Ștefănescu Szabó Horváth" },
  { given: "Björn Astrid Søren Ingrid Åsa Lars Maja Jürgen Heike Zoë Käthe François Chloé Renée Aurélie Benoît",
    family: "Åkesson Lindström Sørensen Nygård Müller Größmann Schäfer Weiß Lefèvre Dubois Saint-Père Béranger Østergaard Jönsson Krüger Hallström" },
  { given: "Haruto Yui Min-jun Seo-yeon Kenji Aiko Ji-woo Hye-jin Thanh Linh Minh Phuong Jose Maricel",
    family: "Tanaka Suzuki Kim Park Nguyễn Trần Yamamoto Choi Phạm Watanabe Dela Cruz Santos Lê Ito" },
  { given: "Beatriz Thiago João Larissa Rafael Camila Gonçalo Letícia Vinícius Inês",
    family: "Silva Conceição Araújo Magalhães Gonçalves Assunção Brandão Simões Falcão Demarchi" },
].map(({ given, family }) => ({ given: given.split(" "), family: family.split(" ") }));

/** The first contacts of every clinic: names that searches, sorts and careless filters trip over. */
export const REMARKABLE = [
  "Eleni Demopoulos", "Marco Testa", "Siobhán O'Hara", "Sarah Johnson", "Michael Chen", "Emily Rodriguez", "John Smith",
  "Núñez, María José", "Anna \"Annie\" Kowalska", "Dr. Priya Nair (private)", "Zoë Größmann", "李伟", "Conor D'Arcy-O'Neill Jr.",
  "Ashley Demoraes 🌸", "Protester & Sons Ltd.", "emily rodriguez",
];

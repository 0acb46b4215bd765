/** Common Icelandic given names, and the genitives that -son and -dóttir are put behind. */
export const women = words(`
  Guðrún Anna Sigríður Kristín Margrét Helga Sigrún Ingibjörg Jóhanna María Elín Katrín Ásta Ragnheiður Hildur
  Lilja Þórunn Þóra Sólveig Birna Erla Eva Íris Ólöf Steinunn Unnur Áslaug Björk Auður Ýr Edda Sæunn Ósk Freyja
  Hrafnhildur Ragnhildur Brynja Dagný Hulda Iðunn Jórunn Vigdís Ástríður Æsa
`);
export const men = words(`
  Jón Sigurður Guðmundur Gunnar Ólafur Einar Kristján Magnús Stefán Jóhann Björn Árni Bjarni Helgi Halldór
  Arnar Pétur Kristinn Ragnar Þorsteinn Guðjón Páll Sveinn Þórður Haukur Ægir Örn Óskar Davíð Ísak Úlfur Hörður
  Ásgeir Ingólfur Þór Hjörtur Óðinn Snæbjörn Eyþór Sævar Njáll Egill Grettir Hafþór
`);
export const fathers = words(`
  Jóns Sigurðar Guðmundar Gunnars Ólafs Einars Kristjáns Magnúsar Stefáns Jóhanns Björns Árna Bjarna Helga
  Halldórs Arnars Péturs Kristins Ragnars Þorsteins Guðjóns Páls Sveins Þórðar Hauks Ægis Óskars Davíðs Úlfs
  Harðar Ásgeirs Hjartar Óðins Eyþórs Sævars Njáls Egils
`);
export const mothers = words(`
  Guðrúnar Önnu Sigríðar Kristínar Margrétar Helgu Ingibjargar Þóru Ástu Hildar Ragnheiðar Unnar Áslaugar Bjarkar
`);

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

"""Names of columns by the kind of their values, as CRMs, shops, registers and research data write them.

English and Spanish, and some of other languages; in lower case, without accents.
"""

from cauce.match.column import Kind

_NAMES = {
    Kind.GIVEN_NAME: (
        "given, first, fore, given name, first name, forename, firstname, givenname, fname, nombre, "
        "nombres, nombre pila, vorname, prenom, name first, nome, christian name, primer nombre, "
        "given names, first names, forenames"
    ),
    Kind.SURNAME: (
        "surname, last, family, sur, last name, family name, lastname, lname, apellido, apellidos, "
        "nachname, nom famille, familienname, name last, sobrenome, cognome, primer apellido, "
        "segundo apellido, apellido 1, apellido 2, apellido1, apellido2, second surname, surnames, "
        "familyname, last names, apellido paterno, apellido materno"
    ),
    Kind.FULL_NAME: (
        "name, full name, fullname, nombre completo, nombre apellidos, contact name, customer name, "
        "client name, person name, display name, nom complet, cliente nombre, nombre cliente, "
        "complete name, person"
    ),
    Kind.BIRTH_DATE: (
        "birthday, birthdate, date of birth, birth date, date birth, dob, fecha nacimiento, nacimiento, "
        "f nacimiento, fec nacimiento, geburtsdatum, date naissance, born, birth, data nascimento, fnac, "
        "fecha nac, d o b, bday"
    ),
    Kind.POST_CODE: (
        "postal, postcode, post code, postal code, postalcode, zip, zip code, zipcode, cp, "
        "codigo postal, cod postal, plz, postleitzahl, code postal, c p, cod post, codpostal"
    ),
    Kind.STREET: (
        "street, address, address 1, address 2, address1, address2, address line, address line 1, "
        "address line 2, street address, street name, direccion, calle, domicilio, strasse, adresse, "
        "rue, via, addr, direccion 1, direccion 2, addr1, addr2, address3, address 3, home address, "
        "nombre via, street 1, street 2"
    ),
    Kind.HOUSE_NUMBER: (
        "street number, house number, house no, streetnumber, housenumber, street no, numero, num, "
        "hausnummer, numero calle, numero casa, num calle, number, portal, num via, numero via, "
        "building number, house, nro"
    ),
    Kind.PLACE: (
        "city, town, suburb, place, ciudad, poblacion, localidad, municipio, stadt, ort, ville, village, "
        "locality, cidade, post town, residence, birth place, place birth, pueblo, lugar, barrio"
    ),
    Kind.STATE: (
        "state, province, region, provincia, bundesland, comunidad, county, comunidad autonoma, estado, "
        "departamento, country, pais, land, territory, country code"
    ),
    Kind.EMAIL: (
        "email, e mail, mail, correo, correo electronico, email address, e mail address, emailaddress"
    ),
    Kind.PHONE: (
        "phone, telephone, mobile, cell, phone number, mobile phone, telefono, movil, tel, celular, "
        "telefon, handy, mobil, telephone number, home phone, work phone, phone1, phone2, phone 1, "
        "phone 2, tlf, tfno, telefono movil, telefono fijo, mobile number, fax, cell phone, phonenumber"
    ),
    Kind.CATEGORY: (
        "gender, sex, sexo, genero, geschlecht, marital status, estado civil, title, tratamiento, "
        "nationality, nacionalidad, race, ethnicity, language, idioma, salutation, civil status"
    ),
    Kind.ID: (
        "ssn, social security number, soc sec id, social security, national id, passport, "
        "passport number, dni, nif, nie, tax id, vat, nhs number, licence, driver license, "
        "driver licence, licence number, license number, id number, national, identity number, "
        "loyalty card, card number, nss, documento, num documento, pasaporte, curp, rfc, member id, "
        "member number, customer id, client id, account, account number, user id, loyalty id, "
        "num cliente, numero cliente, id cliente, nino, medicare, patient id, iban, matricula"
    ),
    Kind.SOURCE: ("source, source dataset, dataset, source system, origen, fuente, sistema"),
    Kind.RECORD_KEY: (
        "id, rec id, record id, unique id, row id, row, index, rowid, recid, uid, record, uuid, guid, "
        "registro"
    ),
    Kind.IGNORED: (
        "created at, updated at, created, updated, timestamp, modified, last modified, fecha alta, "
        "fecha modificacion, signup date, registered at, registration date, blocking number, load date, "
        "import date, notes, comments, comment, observaciones, notas, remarks"
    ),
}
KNOWN_NAMES: dict[Kind, tuple[str, ...]] = {kind: tuple(names.split(", ")) for kind, names in _NAMES.items()}
"""The names of each kind."""
KIND_OF_NAME = {name: kind for kind, names in KNOWN_NAMES.items() for name in names}
"""Name → kind."""
STEMS = (
    (Kind.BIRTH_DATE, r"birth|\bdob\b|nacim|geburt|naiss"),
    (Kind.EMAIL, r"e ?mail|correo|\bmail"),
    (Kind.PHONE, r"phone|\btel\b|telef|movil|mobile|celular"),
    (Kind.POST_CODE, r"post ?code|postal|\bzip"),
    (Kind.SURNAME, r"surname|last ?name|family ?name|apellido|nachname|^last\b"),
    (Kind.GIVEN_NAME, r"given ?name|first ?name|forename|^first\b|\bvorname"),
    (Kind.HOUSE_NUMBER, r"(house|street|building|calle|portal|via) (n|no|nr|num|number|numero)$"),
    (Kind.STREET, r"street|addr|direccion|domicilio|calle|strasse"),
    (Kind.PLACE, r"\bcity|\btown|suburb|ciudad|localidad|poblacion|municipio"),
    (Kind.STATE, r"province|provincia|\bstate\b|\bregion"),
    (Kind.ID, r"passport|pasaporte|social security|\bssn\b|\bdni\b|licen[cs]e|national id"),
)
"""Parts of names that speak for a kind where no whole name does."""

"""Zones of specimens as states and the standard publish them: documents of nobody."""

from typing import Final

GOOD: Final = {
    "TD3 of Doc 9303 part 4": """
        P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
        L898902C36UTO7408122F1204159ZE184226B<<<<<10""",
    "TD2 of Doc 9303 part 6": """
        I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<
        D231458907UTO7408122F1204159<<<<<<<6""",
    "TD1 of Doc 9303 part 5": """
        I<UTOD231458907<<<<<<<<<<<<<<<
        7408122F1204159UTO<<<<<<<<<<<6
        ERIKSSON<<ANNA<MARIA<<<<<<<<<<""",
    "MRV-A of Doc 9303 part 7": """
        V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
        L8988901C4XXX4009078F96121096ZE184226B<<<<<<""",
    "MRV-B of Doc 9303 part 7": """
        V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<
        L8988901C4XXX4009078F9612109<<<<<<<<""",
    "TD1 with a long document number, Doc 9303 part 11": """
        I<UTOD23145890<7349<<<<<<<<<<<
        3407127M9507122UTO<<<<<<<<<<<2
        STEVENSON<<PETER<JOHN<<<<<<<<<""",
    "TD2 with a long document number, Doc 9303 part 11": """
        I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<
        D23145890<UTO3407127M95071227349<<<8""",
    "TD1 with a long document number and optional data": """
        I<NLD123456789<010<OHDA1<<<<<<
        6503101F3108022NLDOPT<DATA2<<5
        DE<BRUIJN<<WILLEKE<LISELOTTE<<""",
    "TD1 with the longest document number": """
        I<NLD123456789<01234567880122<
        6503101F3108022NLDOPT<DATA2<<8
        DE<BRUIJN<<WILLEKE<LISELOTTE<<""",
    "Belgian identity card of 12 digits": """
        IDBEL000000387<2899<<<<<<<<<<<
        9502286F3001064BEL950228998741
        SPECIMEN<<SPECIMEN<<<<<<<<<<<<""",
    "old Belgian identity card": """
        IDBEL590330101085020100200<<<<
        8502016F0901015BEL<<<<<<<<<<<8
        VAN<DER<VELDEN<<GREET<HILDE<<<""",
    "Portuguese citizen card, whose check digit covers the filler": """
        I<PRT000024759<ZZ72<<<<<<<<<<<
        8010100F2006017PRT<<<<<<<<<<<8
        CARLOS<MONTEIRO<<AMELIA<VANESS""",
    "another Portuguese citizen card": """
        I<PRT141974817<ZV17<<<<<<<<<<<
        9801082F3407242PRT<<<<<<<<<<<4
        RONALDO<<CHRISTIANO<<<<<<<<<<<""",
    "Dutch identity card with a citizen number and its own check digit": """
        I<NLDSPECI20142999999990<<<<<8
        6503101F2403096NLD<<<<<<<<<<<8
        DE<BRUIJN<<WILLEKE<LISELOTTE<<""",
    "Dutch passport whose personal number has a filler for the check digit zero": """
        P<NLDMEULENDIJK<<LOES<ALBERTINE<<<<<<<<<<<<<
        XX00000000NLD7110195F1108280123456782<<<<<<2""",
    "German passport, no personal number, check digit <": """
        P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<
        C01X00T478D<<6408125F2702283<<<<<<<<<<<<<<<4""",
    "German identity card, sex unspecified": """
        IDD<<T220001293<<<<<<<<<<<<<<<
        6408125<2010315D<<<<<<<<<<<<<4
        MUSTERMANN<<ERIKA<<<<<<<<<<<<<""",
    "passport of New Zealand, no personal number, check digit 0": """
        P<NZLWATA<<AROHA<MERE<TERESA<<<<<<<<<<<<<<<<
        LF100358<5NZL9010015F2512152<<<<<<<<<<<<<<02""",
    "Chinese passport": """
        P<CHNCHUNG<<KWOK<SUM<<<<<<<<<<<<<<<<<<<<<<<<
        K123455994CHN8008080F1702057HK8888888<<<<<36""",
    "passport without a filler in its second line": """
        PUNORSPECIMEN<<PLACEBO<<<<<<<<<<<<<<<<<<<<<<
        00000000<0UTO0508104F19110135200508102468906""",
    "internal passport of Russia: digits in names, no expiry": """
        PNRUSZDRIL7K<<SERGEQ<ANATOL9EVI3<<<<<<<<<<<<
        3919353498RUS7207233M<<<<<<<4151218910003<50""",
    "Malaysian passport with a surname only, truncated": """
        P<MYSABC<DEFG<HIJKLMNOP<QRS<TUV<XYZABCDEFGHI
        A984726053MYS8709125M2204134880811055050<<52""",
    "Spanish identity card": """
        IDESPCAA000000499999999R<<<<<<
        8001014F3106028ESP<<<<<<<<<<<1
        ESPANOLA<ESPANOLA<<CARMEN<<<<<""",
    "Slovenian identity card with a state code of its own": """
        I<SI<09999100180706966505468<<
        6606079F0807276SI<<<<<<<<<<<<0
        VZOREC<<TINA<<<<<<<<<<<<<<<<<<""",
    "US employment card": """
        IAUSA0000000033LIN1044750079<<
        5808175F1004027COD<<<<<<<<<<<7
        SPECIMEN<<TEST<VOID<<<<<<<<<<<""",
    "US visa": """
        VNUSATRAVELER<<HAPPY<<<<<<<<<<<<<<<<<<<<<<<<
        12345678<8KOR5001013F1304071B3SE000IL4243934""",
    "Finnish visa": """
        VCFINMEIKAELAEINEN<<MATTI<<<<<<<<<<<
        0005467<<2RUS7001017M1111019<M901101""",
    "Romanian identity card": """
        IDROUPOPESCU<<MARIN<<<<<<<<<<<<<<<<<
        SS099993<1ROU4609135M810913814000881""",
    "TD2 with a passport's document code": """
        P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<
        C01X00T478D<<6408125F2702283<<<<<<<4""",
    "given names only": """
        I<CHED231458907ABC<<<<<<<<<<<<
        7408122F1204159CHE<<<<<<<<<<<1
        <<ANNA<MARIA<<<<<<<<<<<<<<<<<<""",
    "old French identity card": """
        IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<
        8806923102858CORINNE<<<<<<<6512068F6""",
    "old French identity card with department and office, two given names": """
        IDFRAPETE<<<<<<<<<<<<<<<<<<<<<952042
        0509952018746NICOLAS<<PAUL<8206152M3""",
    "new French identity card": """
        IDFRAX4RTBPFW46<<<<<<<<<<<<<<<
        9007138F3002119FRA<<<<<<<<<<<6
        MARTIN<<MAELYS<GAELLE<MARIE<<<""",
    "French driving licence": "D1FRA13AA000026181231MARTIN<<9",
    "Dutch driving licence": "D1NLD15094962111659VW87Z78NB84",
    "Swiss driving licence": """
        AAA001D<<
        FACHE305142128097<<800126<<<<<
        MARCHAND<<FABIENNE<<<<<<<<<<<<""",
}

"""Invented names: family names are put together from parts, given names are common ones. Nobody is meant."""

FIRST_PARTS = (
    "Alder", "Amber", "Ash", "Bay", "Birch", "Brook", "Cedar", "Clay", "Copper", "Crane", "Dune", "Elder", "Fern",
    "Finch", "Flint", "Frost", "Glen", "Grey", "Hawk", "Hazel", "Heron", "Hollow", "Iron", "Juniper", "Kestrel",
    "Lake", "Lark", "Linden", "Maple", "Marsh", "Moss", "North", "Oak", "Otter", "Pine", "Quill", "Reed", "Rowan",
    "Sand", "Slate", "Stone", "Thorn", "Vale", "Willow", "Winter", "Wren",
)  # fmt: skip
LAST_PARTS = (
    "bank", "berg", "brook", "bury", "by", "dale", "feld", "field", "ford", "gate", "haven", "hurst", "ley", "low",
    "man", "mere", "more", "ridge", "shaw", "son", "stead", "ton", "wick", "wood", "worth",
)  # fmt: skip
SPANISH_FAMILY = (
    "Alamareda", "Arboleyda", "Brisaluna", "Camporrio", "Cerrolargo", "Claroviento", "Fuentemar", "Lagoverde",
    "Lomaclara", "Montearroyo", "Nievesol", "Olmosanto", "Piedralba", "Riolindo", "Sierraluz", "Valdeluna",
)  # fmt: skip
GIVEN = {
    "female": (
        "Abigail", "Alice", "Amina", "Anna", "Beatrice", "Carol", "Clara", "Dana", "Doris", "Edith", "Elena", "Erin",
        "Esther", "Fiona", "Gloria", "Grace", "Hannah", "Helen", "Irene", "Iris", "Janet", "Joan", "Judith", "Karen",
        "Laura", "Leah", "Lucy", "Maria", "Martha", "Mei", "Miriam", "Nadia", "Nora", "Olivia", "Paula", "Ruth",
        "Sara", "Sofia", "Tamara", "Vera",
    ),
    "male": (
        "Aaron", "Adam", "Alan", "Albert", "Ben", "Carl", "Daniel", "David", "Diego", "Edgar", "Eli", "Eric", "Felix",
        "Frank", "George", "Gordon", "Henry", "Hugo", "Ian", "Isaac", "Jack", "James", "Joel", "Jonas", "Kevin",
        "Leo", "Lewis", "Luis", "Marco", "Martin", "Noah", "Omar", "Oscar", "Paul", "Peter", "Ravi", "Samuel",
        "Simon", "Thomas", "Victor",
    ),
}  # fmt: skip
